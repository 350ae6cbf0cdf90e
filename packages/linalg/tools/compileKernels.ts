import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

/** Compiles assembly/index.ts to a WebAssembly binary, without touching the disk. Throws the compiler's messages. */
export async function compileKernels(): Promise<Uint8Array> {
  const folder = join(import.meta.dirname, '..', 'assembly');
  let binary: Uint8Array | undefined;
  const options = [
    '--outFile',
    'kernels.wasm',
    '-O3',
    '--noAssert',
    '--enable',
    'simd',
    '--enable',
    'relaxed-simd',
    '--runtime',
    'stub',
    '--importMemory',
  ];
  const { error, stderr } = await asc.main(['index.ts', ...options], {
    readFile: async name => {
      try {
        return await readFile(join(folder, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => {
      if (name === 'kernels.wasm') binary = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`The kernels do not compile:\n${stderr.toString()}`);
  return binary;
}
