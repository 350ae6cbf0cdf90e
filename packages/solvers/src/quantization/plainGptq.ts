import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { chooseGrid } from './chooseGrid.ts';
import { dequantize } from './dequantize.ts';
import type { GridRule } from './grid.ts';
import { quantize } from './quantize.ts';

export interface PlainGptqOptions {
  readonly rule: GridRule;
  readonly groupSize: number;
  readonly actOrder: boolean;
  readonly dampingFraction: number;
}

/**
 * The twin of gptq for tests: one output and one column at a time, eliminating each column from the explicit inverse of the
 * Hessian (Optimal Brain Compression, arXiv:2208.11580) in place of a Cholesky factor, no blocks, no panels.
 * No dead inputs. Returns codes `[outFeatures, inFeatures]`.
 */
export function plainGptq(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics,
  options: PlainGptqOptions,
): Uint8Array {
  const { rule, groupSize, actOrder, dampingFraction } = options;
  const n = weight.columns;
  const gram = statistics.inputGram.data;
  const order = Array.from({ length: n }, (_, input) => input);
  if (actOrder) order.sort((first, second) => gram[second * n + second]! - gram[first * n + first]!);
  const codes = new Uint8Array(weight.data.length);
  for (let output = 0; output < weight.rows; output++) {
    const row = Float64Array.from(weight.data.subarray(output * n, (output + 1) * n));
    const original = row.slice();
    const inverse = plainInverse(dampedGram(gram, n, dampingFraction));
    const grid = { scale: 1, zeroPoint: 0 };
    for (const [position, input] of order.entries()) {
      const groupStart = input - (input % groupSize);
      const groupEnd = Math.min(groupStart + groupSize, n);
      if (actOrder) chooseGrid(original, groupStart, groupEnd, rule, grid);
      else if (input === groupStart) chooseGrid(row, groupStart, groupEnd, rule, grid);
      quantize(row, input, input + 1, grid, rule.bits, codes, output * n + input);
      const error = (row[input]! - dequantize(codes[output * n + input]!, grid)) / inverse[input]![input]!;
      const eliminated = inverse[input]!.slice();
      for (const later of order.slice(position + 1)) {
        row[later]! -= error * eliminated[later]!;
        const factor = inverse[later]![input]! / eliminated[input]!;
        for (let column = 0; column < n; column++) inverse[later]![column]! -= factor * eliminated[column]!;
      }
    }
  }
  return codes;
}

function dampedGram(gram: Float64Array, n: number, dampingFraction: number): number[][] {
  const rows = Array.from({ length: n }, (_, row) => [...gram.subarray(row * n, (row + 1) * n)]);
  const trace = rows.reduce((sum, row, index) => sum + row[index]!, 0);
  for (const [index, row] of rows.entries()) row[index]! += (dampingFraction * trace) / n;
  return rows;
}

/** Gauss-Jordan without pivoting, enough for damped Grams. */
function plainInverse(matrix: number[][]): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, index) => [
    ...row,
    ...Array.from({ length: n }, (_, column) => Number(index === column)),
  ]);
  for (let pivot = 0; pivot < n; pivot++) {
    const divisor = work[pivot]![pivot]!;
    work[pivot] = work[pivot]!.map(value => value / divisor);
    for (let row = 0; row < n; row++) {
      const factor = work[row]![pivot]!;
      if (row !== pivot) work[row] = work[row]!.map((value, column) => value - factor * work[pivot]![column]!);
    }
  }
  return work.map(row => row.slice(n));
}
