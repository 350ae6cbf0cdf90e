import { join } from 'node:path';
import { uniformNumbers } from '@quern/core';
import { scoreContinuations } from '@quern/evaluator';
import { expect, it } from 'vitest';
import { openModel } from '../open/openModel.ts';

const DEMO = join(import.meta.dirname, '../../../../models/demo');
const cpu = { device: 'cpu', threads: 1 } as const;

it('scores windows beside each other as it does each alone, in any order', async () => {
  const { model } = await openModel(DEMO);
  const uniform = uniformNumbers(3);
  const tokens = (count: number) => Array.from({ length: count }, () => 1 + Math.floor(4000 * uniform()));
  // Contexts of several lengths with answers of several lengths, answers behind contexts that differ, and one with little in common.
  const answered = [9, 10, 31, 60].map(length => {
    const context = [0, ...tokens(length)];
    return [1, 5, 2, 17].map(count => ({
      ids: Int32Array.from([...context, ...tokens(count)]),
      firstScored: length + 1,
    }));
  });
  const [beginning, ending] = [tokens(20), tokens(7)];
  const parted = [tokens(2), tokens(4)].map(name => ({
    ids: Int32Array.from([0, ...beginning, ...name, ...ending]),
    firstScored: 1 + beginning.length + name.length,
  }));
  const strangers = [tokens(9), tokens(12)].map(ids => ({ ids: Int32Array.from([0, ...ids]), firstScored: 4 }));
  const items = [...answered, parted, strangers];
  const windows = items.flat();
  let next = 0;
  const indices = items.map(item => item.map(() => next++));
  const alone = await scoreContinuations(
    model,
    windows,
    windows.map((_, index) => [index]),
    cpu,
  );
  const together = await scoreContinuations(model, windows, indices, cpu);
  for (const [index, value] of together.logLikelihood.entries())
    expect(value).toBeCloseTo(alone.logLikelihood[index]!, 3);
  expect(together.isGreedy).toEqual(alone.isGreedy);
  // The beginnings are computed once: the rounding differs, so this was not the same work twice.
  expect(together.logLikelihood).not.toEqual(alone.logLikelihood);
  const reversed = await scoreContinuations(model, windows, indices.toReversed(), { ...cpu, batchTokens: 64 });
  expect(reversed.logLikelihood).toEqual(together.logLikelihood);
});
