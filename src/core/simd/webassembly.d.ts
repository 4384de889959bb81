/** What is used of the standard's interface, which the types of Node 20 leave to a browser's. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(size: { initial: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory; abort?: () => never } });
    readonly exports: Record<string, unknown>;
  }
}
