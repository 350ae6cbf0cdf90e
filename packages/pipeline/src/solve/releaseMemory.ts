import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Garbage that is worth a collection: one costs some ten milliseconds, and the pages it frees must be got anew. */
const WORTH_BYTES = 96e6;

let collect: (() => void) | undefined;
let garbageBytes = 0;

/**
 * Gives back the matrices of finished work once there are many bytes of them; `bytes` is about what was let go since the last
 * call. The collector counts small objects, and a Gram matrix looks like one: left alone, a worker keeps several of them.
 */
export function releaseMemory(bytes: number): void {
  garbageBytes += bytes;
  if (garbageBytes < WORTH_BYTES) return;
  garbageBytes = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
