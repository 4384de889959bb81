// What tsc leaves behind: the shaders and the compiled kernels, beside the code that loads them.
import { copyFileSync, cpSync } from 'node:fs';

cpSync('src/gpu-post/shaders', 'dist/gpu-post/shaders', { recursive: true });
copyFileSync('src/core/simd/kernels.wasm', 'dist/core/simd/kernels.wasm');
