import { gemm, type Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { choleskyWhitening } from './choleskyWhitening.ts';
import { dominantFactors } from './dominantFactors.ts';
import { gramMetric } from './inputMetric.ts';
import { toFloat64 } from './toFloat64.ts';
import { truncate } from './truncate.ts';

/** tr(E G E^T) of what the factors leave. */
async function errorOf(
  weight: Matrix<Float64Array>,
  gram: Matrix<Float64Array>,
  { left, right }: { left: Matrix<Float64Array>; right: Matrix<Float64Array> },
): Promise<number> {
  const product = await gemm(left, right);
  const error = { ...weight, data: weight.data.map((value, index) => value - product.data[index]!) };
  const weighted = await gemm(error, gram);
  return weighted.data.reduce((sum, value, index) => sum + value * error.data[index]!, 0);
}

describe.each([
  [90, 130],
  [130, 90],
])('%i x %i', (rows, columns) => {
  const weight = toFloat64(randomWeight(rows, columns, 5));
  const gram = statisticsOf(randomActivations(400, columns)).inputGram;
  const metric = gramMetric(gram, choleskyWhitening);

  it.each([1, 3, 6])('has nearly the least error of rank %i', async rank => {
    const least = await errorOf(weight, gram, await truncate(weight, metric, rank));
    const found = await dominantFactors(weight, metric, rank);
    expect([found.left.columns, found.right.rows]).toEqual([rank, rank]);
    const error = await errorOf(weight, gram, found);
    expect(error / least).toBeGreaterThan(1 - 1e-9);
    expect(error / least).toBeLessThan(1.01);
  });

  it('finds less than the rank asked for where there is no more', async () => {
    const single = toFloat64(await gemm(randomWeight(rows, 1, 2), randomWeight(1, columns, 3)));
    const energy = await errorOf(single, gram, { left: emptyOf(rows, 1), right: emptyOf(1, columns) });
    expect((await errorOf(single, gram, await dominantFactors(single, metric, 4))) / energy).toBeLessThan(1e-12);
    const zeros = emptyOf(rows, columns);
    expect(await errorOf(zeros, gram, await dominantFactors(zeros, metric, 4))).toBe(0);
  });
});

function emptyOf(rows: number, columns: number): Matrix<Float64Array> {
  return { rows, columns, data: new Float64Array(rows * columns) };
}
