import { loadOpenBlas } from './openBlas/loadOpenBlas.ts';

/** Values of `openBlas` that tests go through: always without the library, and with it where there is one. */
export async function availableEngines(): Promise<('off' | 'auto')[]> {
  const found = await loadOpenBlas('auto');
  return typeof found === 'string' ? ['off'] : ['off', 'auto'];
}
