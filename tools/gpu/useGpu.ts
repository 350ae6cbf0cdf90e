import { join } from 'node:path';
import { loadLibrary } from '../../packages/linalg/tools/loadLibrary.ts';
import { type FoundGpu, findGpu } from './findGpu.ts';

/**
 * Makes WebGPU work in this process and in its children, before its first session. Says on stderr what it runs on or why not, and
 * returns null then.
 */
export async function useGpu(): Promise<FoundGpu | null> {
  const found = await findGpu();
  if (found.kind === null) {
    console.error(`WebGPU is skipped here: ${found.reason}`);
    return null;
  }
  Object.assign(process.env, found.environment);
  const [folder] = (found.environment.LD_LIBRARY_PATH ?? '').split(':');
  // The dynamic loader has read its path already; a library that is loaded is found by its name.
  if (folder) loadLibrary(join(folder, 'libvulkan.so.1'));
  return found;
}
