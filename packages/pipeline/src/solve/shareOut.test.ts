import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { shareOut } from './shareOut.ts';

it('works on as many items at a time as there are workers, in order', async () => {
  const begun: number[] = [];
  let [running, most] = [0, 0];
  await shareOut([0, 1, 2, 3, 4, 5, 6], 3, async item => {
    begun.push(item);
    most = Math.max(most, ++running);
    await sleep(item % 2);
    running--;
  });
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(most).toBe(3);
  await shareOut([], 3, () => Promise.reject(new Error('there is nothing to do')));
});

it('begins nothing after an error and waits for what runs', async () => {
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    if (item === 0) throw new Error('zero');
    await sleep(20);
    ended.push(item);
  };
  await expect(shareOut([0, 1, 2, 3], 2, work)).rejects.toThrow('zero');
  expect(ended).toEqual([1]);
});
