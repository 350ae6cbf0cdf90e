import { expect, it } from 'vitest';
import { passAtK } from './passAtK.ts';

/** By counting: the share of k-subsets of n samples that hold one of the first c. */
function byCounting(samples: number, passed: number, k: number): number {
  let [hits, all] = [0, 0];
  for (let subset = 0; subset < 2 ** samples; subset++) {
    const members = Array.from({ length: samples }, (_, index) => (subset >> index) & 1);
    if (members.reduce((sum, member) => sum + member, 0) !== k) continue;
    all++;
    if (members.slice(0, passed).includes(1)) hits++;
  }
  return hits / all;
}

it('is the share of draws of k samples with one that passed', () => {
  for (const samples of [1, 2, 5, 7]) {
    for (let passed = 0; passed <= samples; passed++) {
      for (let k = 1; k <= samples; k++)
        expect(passAtK(samples, passed, k)).toBeCloseTo(byCounting(samples, passed, k), 12);
    }
  }
});

it('stays finite where binomials overflow', () => {
  // One of 2000: any draw of 1000 holds it half of the time.
  expect(passAtK(2000, 1, 1000)).toBeCloseTo(0.5, 9);
});
