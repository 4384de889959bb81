// What tsc leaves behind: the shaders, beside the compiled code that loads them.
import { cpSync } from 'node:fs';

cpSync('src/gpu-post/shaders', 'dist/gpu-post/shaders', { recursive: true });
