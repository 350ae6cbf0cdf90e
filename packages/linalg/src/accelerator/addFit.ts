import { addInverse } from './addInverse.ts';
import { addNorms } from './addNorms.ts';
import { addSum } from './addSum.ts';
import type { GraphWriter } from './createGraphWriter.ts';

/** Normal equations of atoms, and the atoms there are. */
export interface FitInputs {
  /** G `[atomCount, atomCount]`. */
  readonly gram: string;
  /** P `[atomCount, length]`. */
  readonly products: string;
  /** D `[atomCount, length]`. */
  readonly atoms: string;
  readonly identity: string;
}

/** Atoms of norm 1, the norms that they had `[atomCount, 1]`, and what they explain of the energy. */
export interface FitOutputs {
  readonly atoms: string;
  readonly norms: string;
  readonly explained: string;
}

/** Scalars of a graph with fits, beside those of inverses. */
export const FIT_CONSTANTS = { relativeFloor: 1e-12 };

/**
 * Least squares for atoms as a step from the old ones, A = D + G^-1 (P - G D): an inverse that is less than the true one goes less far and
 * leaves no more over, and unused atoms stay. G is scaled to 1 on its diagonal. What is explained is <A, 2 P - G A>.
 */
export function addFit(writer: GraphWriter, { gram, products, atoms, identity }: FitInputs): FitOutputs {
  const { add } = writer;
  const missing = add('Gemm', [gram, atoms, products], { alpha: { float: -1 }, beta: { float: 1 } });
  const diagonal = add('ReduceSum', [add('Mul', [gram, identity]), 'rowAxis'], { keepdims: 1 });
  const most = add('ReduceMax', [diagonal], { keepdims: 0 });
  const floor = add('Max', [add('Mul', [most, 'relativeFloor']), 'tiny']);
  const scale = add('Reciprocal', [add('Sqrt', [add('Max', [diagonal, floor])])]);
  const scaled = add('Mul', [add('Mul', [gram, scale]), add('Transpose', [scale])]);
  const inverse = addInverse(writer, scaled, identity);
  const step = add('Mul', [add('Gemm', [inverse, add('Mul', [missing, scale])]), scale]);
  const fitted = add('Add', [atoms, step]);
  const seen = add('Gemm', [gram, fitted, products], { alpha: { float: -1 }, beta: { float: 2 } });
  const norms = addNorms(writer, fitted);
  return {
    atoms: add('Div', [fitted, norms]),
    norms,
    explained: addSum(writer, add('Mul', [fitted, seen])),
  };
}
