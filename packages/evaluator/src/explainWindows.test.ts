import { expect, it } from 'vitest';
import { explainWindows } from './explainWindows.ts';
import { tableModel } from './testSupport/tableModel.ts';

const planted = (rows: readonly (readonly number[])[]) => tableModel(rows.map(row => row.map(Math.log)));

it('tells what both models expected, token by token', async () => {
  const model = planted([
    [1 / 4, 1 / 2, 1 / 4],
    [1 / 8, 1 / 8, 3 / 4],
    [0.6, 0.3, 0.1],
  ]);
  const baseline = planted([
    [1 / 2, 1 / 4, 1 / 4],
    [1 / 8, 1 / 8, 3 / 4],
    [0.3, 0.6, 0.1],
  ]);
  const windows = [
    { ids: Int32Array.of(0, 1, 2, 0), firstScored: 2 },
    { ids: Int32Array.of(2, 1), firstScored: 1 },
  ];
  const explained = await explainWindows(model, windows, { device: 'cpu', threads: 1, baseline });
  expect(explained.map(tokens => tokens.length)).toEqual([3, 1]);
  const [first, , third] = explained[0]!;
  expect(first).toMatchObject({ topBefore: 0, topAfter: 1 });
  expect(first!.before).toBeCloseTo(1 / 4, 6);
  expect(first!.after).toBeCloseTo(1 / 2, 6);
  expect(first!.confidenceBefore).toBeCloseTo(1 / 2, 6);
  expect(first!.divergence).toBeCloseTo(0.25 * Math.log(2), 6);
  expect(third).toMatchObject({ topBefore: 1, topAfter: 0 });
  expect(third!.confidenceAfter).toBeCloseTo(0.6, 6);
});
