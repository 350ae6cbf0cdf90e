import type { GraphWriter } from './createGraphWriter.ts';

const FLOAT = 1;

/** The identity, from the numbers 0, 1, 2 ... `[n, 1]`. */
export function addIdentity({ add }: GraphWriter, places: string): string {
  return add('Cast', [add('Equal', [places, add('Transpose', [places])])], { to: FLOAT });
}
