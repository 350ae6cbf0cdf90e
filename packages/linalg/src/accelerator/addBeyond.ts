import { addNorms } from './addNorms.ts';
import type { GraphWriter } from './createGraphWriter.ts';

/** Scalars of a graph that moves atoms beyond least squares by a share of the way. */
export function beyondConstants(share: number): Readonly<Record<string, number>> {
  return { share, 'one+share': 1 + share, zero: 0, one: 1, minusOne: -1 };
}

/** Atoms beyond the new ones on the way from the old, of norm 1. The sign of an atom may have turned. */
export function addBeyond(writer: GraphWriter, old: string, fitted: string, name: string): string {
  const { add } = writer;
  const overlap = add('ReduceSum', [add('Mul', [old, fitted]), 'rowAxis'], { keepdims: 1 });
  const sign = add('Where', [add('Less', [overlap, 'zero']), 'minusOne', 'one']);
  const start = add('Mul', [old, add('Mul', [sign, 'share'])]);
  const beyond = add('Sub', [add('Mul', [fitted, 'one+share']), start]);
  return add('Div', [beyond, addNorms(writer, beyond)], {}, name);
}
