import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';

/** Householder reflections H_i = I - taus[i] v_i v_i^T that act on coordinates `start` and later. */
export interface ReflectorPanel {
  readonly start: number;
  /** V^T, `[count, length]`: row i is v_i, zero before its coordinate i, one there. */
  readonly vectors: Matrix<Float64Array>;
  readonly taus: Float64Array;
}

/** The product of a panel's reflections in compact WY form: H_0 H_1 ... = I - V T V^T. */
export interface ReflectorBlock extends ReflectorPanel {
  /** T, `[count, count]`, upper triangular. */
  readonly factor: Matrix<Float64Array>;
}

/** Source: Schreiber and Van Loan 1989; LAPACK's larft. Cost: count^2 length multiply-adds. */
export async function reflectorBlock(panel: ReflectorPanel): Promise<ReflectorBlock> {
  const { vectors, taus } = panel;
  const count = taus.length;
  const { data: inner } = await gemm(vectors, vectors, { transposeB: true });
  const data = new Float64Array(count * count);
  for (let column = 0; column < count; column++) {
    const tau = taus[column]!;
    // Column i of T is taus[i] on the diagonal and -taus[i] T V^T v_i above.
    for (let row = 0; row < column; row++) {
      let sum = 0;
      for (let k = row; k < column; k++) sum += data[row * count + k]! * inner[k * count + column]!;
      data[row * count + column] = -tau * sum;
    }
    data[column * count + column] = tau;
  }
  return { ...panel, factor: { rows: count, columns: count, data } };
}
