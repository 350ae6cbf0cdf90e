import type { Matrix } from './matrix.ts';
import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/** Atoms that become leading singular pairs, one after the other. The arrays are the kernel's own memory. */
export interface AtomUpdate {
  /** The rows that use the atom; set the first `count`. */
  readonly users: Int32Array<ArrayBuffer>;
  /** Their coefficients, before and after. */
  readonly values: Float64Array<ArrayBuffer>;
  /** The atom, before and after; of norm 1. */
  readonly atom: Float64Array<ArrayBuffer>;
  /**
   * Makes `atom` and the first `count` of `values` the leading singular pair of residual + values atom^T over the rows that use it, by so many
   * power iterations from the atom; the residual follows. False, and nothing changed, where that is 0.
   */
  update(count: number, iterations: number): boolean;
}

/**
 * Working memory for a residual `[rows, columns]`, which is copied.
 *
 * Cost of an update: 2 iterations + 4 times count columns multiply-adds, rows read once an iteration; memory 8 rows columns bytes.
 */
export function createAtomUpdate(residual: Matrix<Float64Array>): AtomUpdate {
  const { rows, columns } = residual;
  const stride = Math.ceil(columns / 8) * 8;
  const rowBytes = 8 * stride;
  const atomAt = FIRST_BYTE + rows * rowBytes;
  const alongAt = atomAt + rowBytes;
  const nextAt = alongAt + rowBytes;
  const valuesAt = nextAt + rowBytes;
  const productsAt = valuesAt + 8 * rows;
  const usersAt = productsAt + 8 * rows;
  const { memory, leadingPair } = openKernels(usersAt + 4 * rows);
  const values = new Float64Array(memory.buffer, FIRST_BYTE, rows * stride);
  for (let row = 0; row < rows; row++) {
    values.set(residual.data.subarray(row * columns, (row + 1) * columns), row * stride);
  }
  return {
    users: new Int32Array(memory.buffer, usersAt, rows),
    values: new Float64Array(memory.buffer, valuesAt, rows),
    atom: new Float64Array(memory.buffer, atomAt, columns),
    update: (count, iterations) =>
      leadingPair(
        ...([FIRST_BYTE, rowBytes, usersAt, count, valuesAt, atomAt, iterations] as const),
        ...([alongAt, nextAt, productsAt] as const),
      ) === 1,
  };
}
