import { describe, expect, it } from 'vitest';
import { combineChoices } from './combineChoices.ts';
import { type Choice, tabulateChoices } from './tabulateChoices.ts';

/** Seeded (mulberry32), so that a failure comes back. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Every selection there is. */
function allSelections(sites: readonly (readonly Choice[])[]): { chosen: number[]; bits: number; loss: number }[] {
  return sites.reduce<{ chosen: number[]; bits: number; loss: number }[]>(
    (before, choices) =>
      before.flatMap(({ chosen, bits, loss }) =>
        choices.map((choice, index) => ({
          chosen: [...chosen, index],
          bits: bits + choice.bits,
          loss: loss + choice.loss,
        })),
      ),
    [{ chosen: [], bits: 0, loss: 0 }],
  );
}

function randomSites(random: () => number, unit: number): Choice[][] {
  return Array.from({ length: 5 }, () =>
    Array.from({ length: 2 + Math.floor(4 * random()) }, () => ({
      bits: unit * (1 + Math.floor(40 * random())),
      loss: 2 ** (-12 * random()),
    })),
  );
}

const bitsOf = (sites: readonly (readonly Choice[])[], chosen: readonly number[]): number =>
  chosen.reduce((sum, index, site) => sum + sites[site]![index]!.bits, 0);
const lossOf = (sites: readonly (readonly Choice[])[], chosen: readonly number[]): number =>
  chosen.reduce((sum, index, site) => sum + sites[site]![index]!.loss, 0);

describe('tabulateChoices', () => {
  it.each([1, 128, 4096])('finds what trying everything finds, sizes in units of %i', unit => {
    const random = createRandom(unit);
    for (let round = 0; round < 40; round++) {
      const sites = randomSites(random, unit);
      const table = tabulateChoices(sites);
      const all = allSelections(sites);
      expect(table.leastBits).toBe(Math.min(...all.map(one => one.bits)));
      for (let share = 0; share <= 1.1; share += 0.1) {
        const limit = table.leastBits + share * (table.mostBits - table.leastBits);
        const found = table.within(limit)!;
        expect(bitsOf(sites, found.chosen)).toBe(found.bits);
        expect(lossOf(sites, found.chosen)).toBeCloseTo(found.loss, 12);
        expect(found.bits).toBeLessThanOrEqual(limit);
        const best = Math.min(...all.filter(one => one.bits <= limit).map(one => one.loss));
        expect(found.loss).toBeCloseTo(best, 12);
        const within = table.under(best * (1 + 1e-12))!;
        expect(within.loss).toBeLessThanOrEqual(best * (1 + 1e-9));
        expect(within.bits).toBe(Math.min(...all.filter(one => one.loss <= best * (1 + 1e-12)).map(one => one.bits)));
      }
    }
  });

  it('passes no limit and comes near to the best where sizes have no common measure', () => {
    const random = createRandom(3);
    for (let round = 0; round < 20; round++) {
      const sites = randomSites(random, 1).map(choices =>
        choices.map(({ bits, loss }) => ({ bits: bits * 1e6 * (1 + random()), loss })),
      );
      const table = tabulateChoices(sites);
      const all = allSelections(sites);
      for (const share of [0, 0.3, 0.6, 0.9]) {
        const limit = table.leastBits + share * (table.mostBits - table.leastBits);
        const found = table.within(limit)!;
        expect(found.bits).toBeLessThanOrEqual(limit);
        // As good as the best of a limit lower by what rounding can take: a step for each site.
        const lower = limit - (5 * (table.mostBits - table.leastBits)) / 2 ** 15;
        const rival = Math.min(...all.filter(one => one.bits <= lower).map(one => one.loss));
        expect(found.loss).toBeLessThanOrEqual(rival + 1e-12);
      }
    }
  });

  it('knows what cannot be had', () => {
    const table = tabulateChoices([
      [
        { bits: 10, loss: 1 },
        { bits: 20, loss: 0.25 },
      ],
      [{ bits: 5, loss: 0.5 }],
    ]);
    expect([table.leastBits, table.mostBits]).toEqual([15, 25]);
    expect(table.within(14)).toBeNull();
    expect(table.under(0.7)).toBeNull();
    expect(table.within(15)).toEqual({ chosen: [0, 0], bits: 15, loss: 1.5 });
    expect(table.under(0.75)).toEqual({ chosen: [1, 0], bits: 25, loss: 0.75 });
    expect(table.within(1e9)!.chosen).toEqual([1, 0]);
  });
});

describe('combineChoices', () => {
  it('holds every combination that no other one beats', () => {
    const random = createRandom(11);
    for (let round = 0; round < 20; round++) {
      const sites = randomSites(random, 1).slice(0, 3);
      const all = allSelections(sites);
      const front = all.filter(
        one =>
          !all.some(
            other =>
              other.bits <= one.bits && other.loss <= one.loss && (other.bits < one.bits || other.loss < one.loss),
          ),
      );
      const combined = combineChoices(sites);
      expect(new Set(combined.map(({ bits, loss }) => `${bits} ${loss.toFixed(9)}`))).toEqual(
        new Set(front.map(({ bits, loss }) => `${bits} ${loss.toFixed(9)}`)),
      );
      for (const { parts, bits } of combined) expect(bitsOf(sites, parts)).toBe(bits);
    }
  });

  it('keeps the ends of many', () => {
    const many = Array.from({ length: 100 }, (_, at) => ({ bits: at + 1, loss: 1 / (at + 1) }));
    const combined = combineChoices([many, many, many]);
    expect(combined.length).toBeLessThanOrEqual(256);
    expect([combined[0]!.bits, combined.at(-1)!.bits]).toEqual([3, 300]);
  });
});
