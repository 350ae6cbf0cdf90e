import { expect, it } from 'vitest';
import type { Comparison } from './comparison.ts';
import { plotMeasure } from './plotMeasure.ts';
import { plotPoints } from './plotPoints.ts';
import { sampleComparison } from './testSupport/sampleComparison.ts';

function pointsOf(perplexities: readonly number[], original = 10) {
  const sample = sampleComparison();
  const row = sample.rows.find(candidate => candidate.failure === null)!;
  const comparison: Comparison = {
    ...sample,
    original: { ...sample.original, perplexity: original },
    rows: perplexities.map((perplexity, index) => ({
      ...row,
      method: `m:${index}`,
      storedBytes: 1000 + index,
      standardError: 0.1,
      perplexity,
    })),
  };
  return plotPoints(comparison, plotMeasure(comparison));
}

it('one useless row lies beyond the axis, and the axis fits the others', () => {
  const { points, valueScale } = pointsOf([1e6, 12, 11, 10.5, 10.2]);
  expect(points.map(point => point.isOffScale)).toEqual([true, false, false, false, false]);
  // From 10, the original, to 12 and its error of 0.1, and a tenth of that, 0.21, at both ends.
  expect(valueScale.maximum).toBeCloseTo(12.31, 9);
  expect(valueScale.logarithmic).toBe(false);
});

it('many bad rows are shown, on a logarithmic axis', () => {
  const { points, valueScale } = pointsOf([1000, 900, 800, 700, 20, 12]);
  expect(points.some(point => point.isOffScale)).toBe(false);
  expect(valueScale.logarithmic).toBe(true);
  expect(valueScale.maximum).toBeGreaterThan(1000);
});

it('nothing is cut where all rows are near', () => {
  expect(pointsOf([14.9, 12, 11]).points.every(point => !point.isOffScale)).toBe(true);
});
