import { gemm, type Matrix } from '@quern/linalg';

/** The Gram of an input as correlations and magnitudes: G_ij = roots_i correlations_ij roots_j. */
export interface CorrelatedInputs {
  /** `[inFeatures]`; 1 for inputs that were never active. */
  readonly roots: Float64Array;
  /** `[inFeatures, inFeatures]`, from -1 to 1, so that single precision does where few inputs carry most energy. */
  readonly correlations: Matrix<Float32Array>;
}

/** Splits a Gram into magnitudes and correlations. Cost: one pass. */
export function correlatedInputs({ rows: n, data }: Matrix<Float64Array>): CorrelatedInputs {
  const roots = Float64Array.from({ length: n }, (_, input) => Math.sqrt(data[input * n + input]!) || 1);
  const correlations = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    const own = roots[row]!;
    for (let column = 0; column < n; column++) {
      const at = row * n + column;
      correlations[at] = data[at]! / (own * roots[column]!);
    }
  }
  return { roots, correlations: { rows: n, columns: n, data: correlations } };
}

/**
 * tr(M G M^T) for a matrix whose columns were multiplied by the roots, `[rows, inFeatures]`; `image` is scratch of its size.
 * Cost: rows inFeatures^2 multiply-adds in single precision.
 */
export async function outputEnergy(
  scaled: Matrix<Float32Array>,
  correlations: Matrix<Float32Array>,
  image: Float32Array,
): Promise<number> {
  const output = { rows: scaled.rows, columns: correlations.columns, data: image.subarray(0, scaled.data.length) };
  await gemm(scaled, correlations, { output });
  let energy = 0;
  for (let at = 0; at < output.data.length; at++) energy += output.data[at]! * scaled.data[at]!;
  return energy;
}

/** The square block of the correlations of the inputs [from, to). */
export function correlationBlock({ rows: n, data }: Matrix<Float32Array>, from: number, to: number) {
  const width = to - from;
  const block = new Float32Array(width * width);
  for (let row = 0; row < width; row++) {
    const start = (from + row) * n;
    block.set(data.subarray(start + from, start + to), row * width);
  }
  return { rows: width, columns: width, data: block };
}
