import type { Matrix } from './matrix.ts';
import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/**
 * Orthogonal matching pursuit over one dictionary, signal by signal. The arrays are the kernel's own memory and hold what the last
 * call left there.
 */
export interface OrthogonalPursuit {
  /** The atoms in the order in which they were chosen. */
  readonly chosen: Int32Array<ArrayBuffer>;
  /** What the squared remainder fell by at each step, as its root with a sign. */
  readonly gains: Float64Array<ArrayBuffer>;
  /** What `fit` gave, in the same order. */
  readonly coefficients: Float64Array<ArrayBuffer>;
  /**
   * Chooses up to `steps` atoms for the signal whose products with the atoms are `correlations`; fewer where the rest sees
   * nothing of it or depends on those. The number chosen.
   */
  pursue(correlations: Float64Array, steps: number): number;
  /** Least squares on the first `steps` of the atoms just chosen. */
  fit(steps: number): void;
}

/**
 * Working memory for a dictionary with products `gram` `[atomCount, atomCount]` and at most `mostSteps` atoms a signal.
 *
 * Source: Batch-OMP (Rubinstein, Zibulevsky and Elad 2008), with the products of the remainder brought up to date by the rows of
 * L^-1 G, so that a step takes one pass over those before it.
 * Cost: atomCount steps^2 / 2 multiply-adds a signal; 8 atomCount (atomCount + mostSteps) bytes.
 */
export function createOrthogonalPursuit(gram: Matrix<Float64Array>, mostSteps: number): OrthogonalPursuit {
  const count = gram.columns;
  // An odd number of cache lines: rows fall on different sets of the cache.
  const stride = (Math.ceil(count / 8) | 1) * 8;
  const gramAt = FIRST_BYTE;
  const alphaAt = gramAt + count * stride * 8;
  const imagesAt = alphaAt + stride * 8;
  const weightsAt = imagesAt + mostSteps * stride * 8;
  const gainsAt = weightsAt + mostSteps * 8;
  const coefficientsAt = gainsAt + mostSteps * 8;
  const chosenAt = coefficientsAt + mostSteps * 8;
  const takenAt = chosenAt + mostSteps * 4;
  const { memory, pursueRow, fitChosen } = openKernels(takenAt + count);
  const products = new Float64Array(memory.buffer, gramAt, count * stride);
  for (let row = 0; row < count; row++) {
    products.set(gram.data.subarray(row * count, (row + 1) * count), row * stride);
  }
  const alpha = new Float64Array(memory.buffer, alphaAt, count);
  return {
    chosen: new Int32Array(memory.buffer, chosenAt, mostSteps),
    gains: new Float64Array(memory.buffer, gainsAt, mostSteps),
    coefficients: new Float64Array(memory.buffer, coefficientsAt, mostSteps),
    pursue(correlations, steps) {
      alpha.set(correlations);
      return pursueRow(alphaAt, gramAt, count, stride, steps, imagesAt, takenAt, weightsAt, chosenAt, gainsAt);
    },
    fit(steps) {
      fitChosen(imagesAt, stride, chosenAt, gainsAt, steps, coefficientsAt);
    },
  };
}
