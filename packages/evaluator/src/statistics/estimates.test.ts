import { uniformNumbers } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { calibrationError, calibrationShares } from './calibrationError.ts';
import { addPrediction, calibrationGaps } from './calibrationGaps.ts';
import { clusteredMean } from './clusteredMean.ts';
import { percentile } from './percentile.ts';

describe('clusteredMean', () => {
  it('is the mean over members; clusters of one give the textbook standard error', () => {
    const values = [3, 1, 2, 10, 5];
    const { value, standardError } = clusteredMean(values, [1, 1, 1, 1, 1]);
    expect(value).toBeCloseTo(4.2, 12);
    const variance = values.reduce((sum, one) => sum + (one - 4.2) ** 2, 0) / 5;
    expect(standardError).toBeCloseTo(Math.sqrt(variance / 5), 12);
  });

  it('takes members of a cluster as dependent: copies add nothing', () => {
    const once = clusteredMean([3, 1, 2], [1, 1, 1]);
    const copied = clusteredMean([30, 10, 20], [10, 10, 10]);
    expect(copied.value).toBe(once.value);
    expect(copied.standardError).toBeCloseTo(once.standardError, 12);
    expect(clusteredMean([7], [2])).toEqual({ value: 3.5, standardError: 0 });
  });
});

describe('calibrationError', () => {
  /** Predictions as (cluster, confidence, right). */
  const gapsOf = (clusterCount: number, predictions: readonly (readonly [number, number, boolean])[]) => {
    const gaps = calibrationGaps(clusterCount);
    for (const [cluster, confidence, isRight] of predictions) addPrediction(gaps, cluster, confidence, isRight);
    return gaps;
  };

  it('adds the gaps of the bins by hand', () => {
    // Bin of .5: three predictions, two right: |1.5 - 2| = .5. Bin of .9: |1.8 - 1| = .8. Over five predictions.
    const gaps = gapsOf(1, [
      [0, 0.5, true],
      [0, 0.5, false],
      [0, 0.5, true],
      [0, 0.9, true],
      [0, 0.9, false],
    ]);
    expect(calibrationError(gaps, [5]).value).toBeCloseTo((0.5 + 0.8) / 5, 12);
  });

  it('puts confidences at the edges into the bin below, as the paper has them', () => {
    // 3/15 belongs to (2/15, 3/15] with .19, so one right of two cancels; .21 stands alone.
    const gaps = gapsOf(1, [
      [0, 3 / 15, true],
      [0, 0.19, false],
      [0, 0.21, false],
    ]);
    expect(calibrationError(gaps, [3]).value).toBeCloseTo((1 - 0.39 + 0.21) / 3, 12);
    expect(calibrationError(gapsOf(1, [[0, 1, true]]), [1]).value).toBe(0);
    expect(calibrationError(gapsOf(1, [[0, 0, false]]), [1]).value).toBe(0);
  });

  it('finds a planted overconfidence, is near 0 without one, and its standard error covers what chance does', () => {
    const uniform = uniformNumbers(2);
    const errors: number[] = [];
    let announced = 0;
    for (let trial = 0; trial < 200; trial++) {
      const gaps = calibrationGaps(50);
      for (let index = 0; index < 2000; index++) {
        const confidence = 0.3 + 0.6 * uniform();
        addPrediction(gaps, index % 50, confidence, uniform() < confidence - 0.2);
      }
      const estimate = calibrationError(gaps, new Array(50).fill(40));
      errors.push(estimate.value);
      announced += estimate.standardError / 200;
    }
    const mean = errors.reduce((sum, value) => sum + value, 0) / 200;
    const spread = Math.sqrt(errors.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 200);
    expect(mean).toBeCloseTo(0.2, 2);
    expect(announced / spread).toBeGreaterThan(0.8);
    expect(announced / spread).toBeLessThan(1.25);
  });

  it('is the sum of what clusters bring', () => {
    const gaps = gapsOf(2, [
      [0, 0.5, true],
      [1, 0.45, false],
      [1, 0.95, false],
    ]);
    const shares = calibrationShares(gaps);
    expect((shares[0]! + shares[1]!) / 3).toBeCloseTo(calibrationError(gaps, [1, 2]).value, 12);
    expect(shares[0]).toBeCloseTo(0.5, 12);
  });
});

describe('percentile', () => {
  it('is what NumPy finds, whatever the order', () => {
    for (const values of [
      [3, 1, 2, 10, 5, 8, 7],
      [10, 8, 7, 5, 3, 2, 1],
    ]) {
      const at = (share: number) => percentile(Float64Array.from(values), [7], share).value;
      for (const [share, expected] of [
        [0, 1],
        [0.25, 2.5],
        [0.5, 5],
        [0.9, 8.8],
        [0.99, 9.88],
        [1, 10],
      ] as const) {
        expect(at(share)).toBeCloseTo(expected, 12);
      }
    }
    expect(percentile(Float32Array.of(4), [1], 0.99)).toEqual({ value: 4, standardError: 0 });
  });

  it('has a standard error that covers what chance does to dependent values', () => {
    const uniform = uniformNumbers(3);
    const found: number[] = [];
    let announced = 0;
    const counts = new Array(100).fill(20);
    for (let trial = 0; trial < 200; trial++) {
      const values: number[] = [];
      // Half of a value is its cluster's.
      for (let cluster = 0; cluster < 100; cluster++) {
        const shared = -Math.log(1 - uniform());
        for (let index = 0; index < 20; index++) values.push(shared - Math.log(1 - uniform()));
      }
      const estimate = percentile(Float64Array.from(values), counts, 0.9);
      found.push(estimate.value);
      announced += estimate.standardError / 200;
    }
    const mean = found.reduce((sum, value) => sum + value, 0) / 200;
    const spread = Math.sqrt(found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 200);
    expect(announced / spread).toBeGreaterThan(0.8);
    expect(announced / spread).toBeLessThan(1.25);
  });
});
