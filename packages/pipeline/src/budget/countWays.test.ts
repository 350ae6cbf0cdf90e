import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import { countWays } from './countWays.ts';

const plan = (solver: string, options: Record<string, number | boolean | string>) => ({
  site: {} as LinearSite,
  solver,
  options,
});

it('counts sites by method, bits and group, and takes the rates of entropy-coded methods together', () => {
  const grids = [32, 64, 32].map(groupSize => plan('gptq', { bits: 4, groupSize }));
  const coded = [2.5, 6.1875, 2.5].map(bits => plan('watersic', { bits }));
  const factors = [plan('svd-llm', { ratio: 0.5 }), plan('dictionary', { ratio: 0.5, bits: 16, groupSize: 'channel' })];
  expect(countWays([...coded, ...grids, ...factors])).toEqual([
    { way: 'dictionary:16', sites: 1 },
    { way: 'gptq:4:32', sites: 2 },
    { way: 'gptq:4:64', sites: 1 },
    { way: 'svd-llm:16', sites: 1 },
    { way: 'watersic:2.5 to 6.19', sites: 3 },
  ]);
  expect(countWays([coded[0]!, coded[2]!])).toEqual([{ way: 'watersic:2.5', sites: 2 }]);
});
