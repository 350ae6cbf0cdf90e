import type { CompressPlan, PlannedFigure } from '@quern/pipeline';
import { expect, it } from 'vitest';
import { renderPlan } from './plan.ts';

function render(figures: readonly PlannedFigure[], figure: PlannedFigure): string[] {
  const plan: CompressPlan = {
    ...{ model: 'm', storage: 'packed', figure, storedBytes: 3072, elementCount: 12_288, bitsPerWeight: 2 },
    budget: null,
    sites: figures.map((own, index) => ({
      ...{ name: `site${index}`, outFeatures: 64, inFeatures: 96, solver: 'watersic', nominalBits: 2.123456 },
      ...{ groupSize: null, storageBits: 12_288, figure: own },
    })),
  };
  return renderPlan(plan).split('\n');
}

it('says of every figure what it is, and below what that means', () => {
  const lines = render(['target', 'atMost'], 'estimate');
  expect(lines[2]).toMatch(/^site0 +64 x 96 +watersic +2\.123 +- +1\.54 kB +target$/);
  expect(lines[3]).toMatch(/^site1 .* at most$/);
  expect(lines[4]).toBe('2 sites, packed: 3.07 kB, 2.000 stored bits a weight (estimate)');
  expect(lines.slice(5)).toEqual([
    expect.stringMatching(/^at most: codes as bit planes/),
    expect.stringMatching(/^target: met by all these sites together; the share of each comes with the run/),
  ]);
});

it('needs no words for what is exact', () => {
  expect(render(['exact'], 'exact').slice(3)).toEqual([expect.stringMatching(/\(exact\)$/)]);
});
