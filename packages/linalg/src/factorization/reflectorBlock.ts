import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import { zerosLike } from '../zerosLike.ts';

/** Householder reflections H_i = I - taus[i] v_i v_i^T that act on coordinates `start` and later. */
export interface ReflectorPanel<Data extends Float32Array | Float64Array = Float64Array> {
  readonly start: number;
  /** V^T, `[count, length]`: row i is v_i, zero before its coordinate i, one there. */
  readonly vectors: Matrix<Data>;
  readonly taus: Data;
}

/** The product of a panel's reflections in compact WY form: H_0 H_1 ... = I - V T V^T. */
export interface ReflectorBlock<Data extends Float32Array | Float64Array = Float64Array> extends ReflectorPanel<Data> {
  /** T, `[count, count]`, upper triangular. */
  readonly factor: Matrix<Data>;
}

/** Source: Schreiber and Van Loan 1989; LAPACK's larft. Cost: count^2 length multiply-adds. */
export async function reflectorBlock<Data extends Float32Array | Float64Array>(
  panel: ReflectorPanel<Data>,
): Promise<ReflectorBlock<Data>> {
  const { vectors, taus } = panel;
  const count = taus.length;
  const { data: inner } = await gemm(vectors, vectors, { transposeB: true });
  const data = zerosLike(taus, count * count);
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
