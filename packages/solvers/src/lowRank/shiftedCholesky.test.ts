import { expect, it } from 'vitest';
import { shiftedCholesky } from './shiftedCholesky.ts';

const diagonal = (...values: number[]) => {
  const data = new Float64Array(values.length ** 2);
  for (const [index, value] of values.entries()) data[index * (values.length + 1)] = value;
  return { rows: values.length, columns: values.length, data };
};

/** The diagonal of L L^T for a diagonal L. */
async function factored(...values: number[]): Promise<number[]> {
  const { data, columns } = await shiftedCholesky(diagonal(...values));
  return values.map((_, index) => data[index * (columns + 1)]! ** 2);
}

it('leaves a definite matrix as it is', async () => {
  const [first, second] = await factored(4, 1e-20);
  expect(first).toBeCloseTo(4, 12);
  expect(second! / 1e-20).toBeCloseTo(1, 9);
});

it('shifts a singular one by 1e-8 of its mean diagonal', async () => {
  const [first, second] = await factored(2, 0);
  expect(first! - 2).toBeCloseTo(1e-8, 12);
  expect(second! / 1e-8).toBeCloseTo(1, 6);
});

it('shifts by more what rounding made slightly indefinite', async () => {
  const [first, second] = await factored(2, -1e-6);
  expect(first! - 2).toBeCloseTo(1.01e-6, 11);
  expect(second! / 1e-8).toBeCloseTo(1, 1);
});

it('refuses what is no Gram', async () => {
  await expect(factored(2, -0.1)).rejects.toMatchObject({
    code: 'NOT_POSITIVE_DEFINITE',
    context: { lowest: -0.1, highest: 2 },
  });
});
