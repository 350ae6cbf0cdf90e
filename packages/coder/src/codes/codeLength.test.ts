import { describe, expect, it } from 'vitest';
import { packBlocks } from '../packBlocks.ts';
import { memberProbabilities, SCALE_COUNT, SHAPE_COUNT } from './codeFamily.ts';
import { codeLength } from './codeLength.ts';
import { requireCodeTables } from './codeTables.ts';
import { countCodes } from './countCodes.ts';
import { fitCodeTables } from './fitCodeTables.ts';
import { layoutOf, normalCodes } from './testMatrices.ts';

/** Every member tried. */
function shortest(counts: Uint32Array): number {
  let best = Number.POSITIVE_INFINITY;
  for (let shape = 0; shape < SHAPE_COUNT; shape++) {
    for (let scale = 0; scale < SCALE_COUNT; scale++) {
      const probabilities = memberProbabilities(shape, scale, Math.log2(counts.length));
      const bits = counts.reduce(
        (sum, n, code) => sum + (n === 0 ? 0 : n * Math.min(30, -Math.log2(probabilities[code]!))),
        0,
      );
      best = Math.min(best, bits);
    }
  }
  return best;
}

describe('codeLength', () => {
  it('finds the member that trying all of them finds', () => {
    const histograms = [
      [0, 0, 1, 0, 5, 30, 120, 260, 300, 250, 118, 33, 6, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 2, 100, 900, 96, 1, 0, 0, 0, 0, 0],
      [0, 1, 1, 2, 4, 9, 30, 180, 600, 170, 28, 11, 4, 2, 1, 1],
      [40, 60, 62, 35],
    ];
    for (const histogram of histograms) {
      const counts = Uint32Array.from(histogram);
      expect(codeLength(counts).bits).toBeCloseTo(shortest(counts), 6);
    }
  });

  it('costs almost nothing for a column of zero points and never less than the entropy', () => {
    const constant = new Uint32Array(16);
    constant[8] = 1000;
    expect(codeLength(constant).bits).toBeLessThan(1);
    const counts = Uint32Array.of(10, 40, 100, 50);
    const entropy = counts.reduce((sum, n) => sum - n * Math.log2(n / 200), 0);
    expect(codeLength(counts).bits).toBeGreaterThan(entropy);
    expect(codeLength(counts).bits).toBeLessThan(1.05 * entropy);
  });

  it('refuses counts of no width', () => {
    expect(() => codeLength(new Uint32Array(10))).toThrow('10 counts');
  });
});

describe('countCodes', () => {
  it('counts columns and not the padding', () => {
    const layout = layoutOf(3, 2, 4);
    const bytes = packBlocks(Uint8Array.of(1, 15, 1, 8, 2, 8), layout);
    const { bits, columns, counts } = countCodes(bytes, layout);
    expect([bits, columns, counts.length]).toEqual([4, 2, 32]);
    expect([counts[1], counts[2], counts[16 + 15], counts[16 + 8]]).toEqual([2, 1, 1, 2]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6);
  });
});

describe('fitCodeTables', () => {
  const countsOf = (scale: number, columnSpread: number, bits: 4 | 8, seed: number) => {
    const layout = layoutOf(200, 60, bits);
    return countCodes(packBlocks(normalCodes(layout, { scale, columnSpread, rowSpread: 0, seed }), layout), layout);
  };

  it('keeps to the maximum and survives JSON', () => {
    const counts = [countsOf(0.4, 0.7, 4, 1), countsOf(2, 0.7, 4, 2), countsOf(40, 0.1, 8, 3)];
    for (const maximum of [1, 5, 30, 64, 1000]) {
      const tables = fitCodeTables(counts, { maximum });
      expect(tables.ladders.reduce((sum, ladder) => sum + ladder.count, 0)).toBeLessThanOrEqual(Math.min(64, maximum));
      expect(() => requireCodeTables(JSON.parse(JSON.stringify(tables)))).not.toThrow();
    }
  });

  it('holds the scales of the columns: 1 is number 18', () => {
    const { ladders } = fitCodeTables([countsOf(1, 0, 4, 4)], { maximum: 64 });
    expect(ladders.some(({ firstScale, count }) => firstScale < 18 && firstScale + count > 18)).toBe(true);
    expect(ladders.every(({ firstScale, count }) => firstScale > 8 && firstScale + count < 30)).toBe(true);
  });

  it('gives tables for no codes at all', () => {
    expect(fitCodeTables([], { maximum: 64 }).ladders.length).toBe(1);
  });
});
