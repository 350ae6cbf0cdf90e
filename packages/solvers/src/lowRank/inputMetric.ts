import { gemm, type Matrix } from '@quern/linalg';

/** S with S S^T = G: an error E on a weight costs ||E S||_F at the outputs. */
export interface Whitening {
  /** rows S, rows `[count, inFeatures]`. */
  readonly apply: (rows: Matrix<Float64Array>) => Promise<Matrix<Float64Array>>;
  /** rows S^-1. */
  readonly undo: (rows: Matrix<Float64Array>) => Promise<Matrix<Float64Array>>;
}

/** How errors on a weight are weighed: by a symmetric, positive semidefinite G `[inFeatures, inFeatures]`. */
export interface InputMetric {
  /** rows G, rows `[count, inFeatures]`. */
  readonly timesGram: (rows: Matrix<Float64Array>) => Promise<Matrix<Float64Array>>;
  /** Computed when it is first asked for. */
  readonly whitening: () => Promise<Whitening>;
}

/** G is the sum of the inputs' outer products: errors count as they show at the outputs. `whiten` finds S. */
export function gramMetric(
  gram: Matrix<Float64Array>,
  whiten: (gram: Matrix<Float64Array>) => Promise<Whitening>,
): InputMetric {
  let whitening: Promise<Whitening> | undefined;
  return {
    timesGram: rows => gemm(rows, gram),
    whitening: () => {
      whitening ??= whiten(gram);
      return whitening;
    },
  };
}

/** G = diag(scales)^2, scales above 0, one per input. */
export function scaleMetric(scales: Float64Array): InputMetric {
  const inverses = scales.map(scale => 1 / scale);
  const energies = scales.map(scale => scale * scale);
  return {
    timesGram: async rows => scaleColumns(rows, energies),
    whitening: async () => ({
      apply: async rows => scaleColumns(rows, scales),
      undo: async rows => scaleColumns(rows, inverses),
    }),
  };
}

/** Column j of the result is factors[j] times that of `matrix`. */
export function scaleColumns(matrix: Matrix<Float64Array>, factors: Float64Array): Matrix<Float64Array> {
  const { columns } = matrix;
  const data = matrix.data.slice();
  for (let start = 0; start < data.length; start += columns) {
    for (let column = 0; column < columns; column++) data[start + column]! *= factors[column]!;
  }
  return { ...matrix, data };
}
