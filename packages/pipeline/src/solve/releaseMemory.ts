import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Gives back the matrices of finished work at once. The collector counts small objects, and a Gram matrix looks like one: left
 * alone, a worker keeps several of them. Cost: a few milliseconds; call it between jobs.
 */
export function releaseMemory(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
