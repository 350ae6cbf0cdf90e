import { describe, expect, it } from 'vitest';
import type { SitePlan } from '../solve/sitePlan.ts';
import type { Attempt } from './attempt.ts';
import type { CandidateTable, ChosenPlans } from './candidateTable.ts';
import { fitSize } from './fitSize.ts';
import { keepBetter } from './keepBetter.ts';
import { searchIncrease } from './searchIncrease.ts';

/** Whole bits from 2 to 8, each step a quarter of the loss. */
const choices: ChosenPlans[] = Array.from({ length: 61 }, (_, step) => {
  const bits = 2 + step / 10;
  return { plans: [], bits, loss: 4 ** -bits };
});
const table: CandidateTable = {
  leastBits: 2,
  mostBits: 8,
  within: bits => choices.findLast(choice => choice.bits <= bits + 1e-9) ?? null,
  under: loss => choices.find(choice => choice.loss <= loss) ?? null,
  uniformWithin: () => null,
};

/** Files that lose `factor` times what is expected, and what was made of them. */
function losing(factor: (bits: number) => number) {
  const made: { bits: number; correction: number | null }[] = [];
  const make = async (chosen: ChosenPlans, correction: number | null): Promise<Attempt> => {
    made.push({ bits: chosen.bits, correction });
    return { chosen, nllIncrease: factor(chosen.bits) * chosen.loss } as Attempt;
  };
  return { made, make };
}

describe('searchIncrease', () => {
  const limit = 4 ** -5;

  it('is content with files that lose nearly as much as they may', async () => {
    const { made, make } = losing(() => 1);
    const kept = await searchIncrease(table, limit, make);
    expect(made).toEqual([{ bits: 5.1, correction: 0 }]);
    expect(kept.chosen.bits).toBe(5.1);
  });

  it.each([0.2, 0.5, 1.5, 3, 7])('finds few bits where files lose %d times what is expected', async factor => {
    const { made, make } = losing(bits => factor * (1 + 0.05 * Math.sin(100 * bits)));
    const kept = await searchIncrease(table, limit, make);
    expect(kept.nllIncrease!).toBeLessThanOrEqual(limit);
    // What would do without noise, and a fifth of a bit.
    expect(kept.chosen.bits).toBeLessThan(5 + Math.log2(factor) / 2 + 0.35);
    const corrections = made.flatMap(({ correction }) => correction ?? []);
    expect(Math.max(...corrections)).toBeLessThanOrEqual(3);
  });

  it('keeps the best files where the last ones miss, and makes those again', async () => {
    // Less is lost than expected at 5.1 bits, far more below.
    const { made, make } = losing(bits => (bits >= 5.1 ? 0.2 : 9));
    const kept = await searchIncrease(table, limit, make);
    expect(kept.chosen.bits).toBe(5.1);
    expect(made.at(-1)).toEqual({ bits: 5.1, correction: null });
    expect(made.length).toBeLessThanOrEqual(5);
  });

  it('says what was reached where nothing keeps the limit', async () => {
    const { make } = losing(() => 1e6);
    await expect(searchIncrease(table, limit, make)).rejects.toMatchObject({
      code: 'BUDGET_MISSED',
      message: expect.stringContaining('in the best files that were written'),
    });
  });
});

describe('fitSize', () => {
  const limitOf = (asked: number, factor: number) => ({
    bits: asked,
    excess: ({ chosen }: Attempt) => factor * chosen.bits - asked,
    refuse: () => new Error('out of reach') as never,
  });

  it('takes the best choice that fits, and less where files take more than expected', async () => {
    const exact = losing(() => 1);
    expect(((await fitSize(table, limitOf(4.05, 1), exact.make)) as Attempt).chosen.bits).toBeCloseTo(4, 9);
    expect(exact.made.length).toBe(1);
    const larger = losing(() => 1);
    const kept = (await fitSize(table, limitOf(4, 1.02), larger.make)) as Attempt;
    expect(1.02 * kept.chosen.bits).toBeLessThanOrEqual(4);
    expect(larger.made.map(({ correction }) => correction)).toEqual([0, 1]);
  });

  it('refuses what the methods do not reach, and gives up after three corrections', async () => {
    expect(await fitSize(table, limitOf(1.9, 1), losing(() => 1).make)).toMatchObject({ message: 'out of reach' });
    const { made, make } = losing(() => 1);
    const stubborn = { ...limitOf(6, 1), excess: () => 0.1 };
    expect(await fitSize(table, stubborn, make)).toMatchObject({ code: 'BUDGET_MISSED' });
    expect(made.length).toBe(4);
  });
});

describe('keepBetter', () => {
  const limit = { bits: 4, excess: () => 0, refuse: () => new Error('out of reach') as never };
  const plan = { solver: 'gptq', options: { bits: 4, groupSize: 32 } } as unknown as SitePlan;
  const bound = { solver: 'rtn', options: { bits: 8 } } as unknown as SitePlan;
  /** One way for all that is expected to lose `expected` times as much as the choice, and loses `measured` times as much. */
  const run = async (expected: number, measured: number, canMeasure = true) => {
    const chosen = table.within(4)!;
    const uniform = { free: plan, plans: [bound, plan], bits: 4, loss: expected * chosen.loss };
    const made: string[] = [];
    const attempt = (of: ChosenPlans, name: string): Attempt => {
      made.push(name);
      return { chosen: of, klDivergence: of === uniform ? measured : 1 } as Attempt;
    };
    const kept = await keepBetter(
      { ...table, within: () => ({ ...chosen, plans: [bound, { ...plan }] }), uniformWithin: () => uniform },
      limit,
      canMeasure ? async of => attempt(of, 'rival') : null,
      async of => attempt(of, of === uniform ? 'uniform' : 'choice'),
    );
    return { made, report: kept.uniform, keepsUniform: kept.made.chosen === uniform };
  };

  it('measures one way for all that comes near, and keeps what loses less', async () => {
    expect(await run(1.2, 1.1)).toEqual({
      made: ['rival', 'choice'],
      report: { method: 'gptq:4:32', klDivergence: 1.1, chosenKlDivergence: 1, isKept: false },
      keepsUniform: false,
    });
    expect(await run(1.2, 0.9)).toMatchObject({
      made: ['rival', 'choice', 'uniform'],
      report: { isKept: true },
      keepsUniform: true,
    });
  });

  it('takes one way for all where only that keeps the size, and fails where nothing does', async () => {
    const chosen = table.within(4)!;
    const uniform = { free: plan, plans: [bound, plan], bits: 4, loss: 1.2 * chosen.loss };
    const made: string[] = [];
    const keep = (over: (of: ChosenPlans) => number) =>
      keepBetter(
        { ...table, within: () => ({ ...chosen, plans: [bound, { ...plan }] }), uniformWithin: () => uniform },
        { ...limit, excess: ({ chosen: own }) => over(own) },
        async of => ({ chosen: of, klDivergence: 1.3 }) as Attempt,
        async (of, correction) => {
          made.push(of === uniform ? `uniform ${correction}` : `choice ${correction}`);
          return { chosen: of, klDivergence: 1 } as Attempt;
        },
      );
    const kept = await keep(of => (of === uniform ? 0 : 8));
    expect(kept.made.chosen).toBe(uniform);
    expect(kept.uniform).toEqual({ method: 'gptq:4:32', klDivergence: 1.3, chosenKlDivergence: null, isKept: true });
    expect(made).toEqual(['choice 0', 'choice 1', 'choice 2', 'choice 3', 'uniform null']);
    await expect(keep(() => 8)).rejects.toMatchObject({ code: 'BUDGET_MISSED' });
  });

  it('writes nothing more where one way for all is far off, or nothing measures it', async () => {
    expect(await run(1.3, 0.9)).toEqual({ made: ['choice'], report: null, keepsUniform: false });
    expect(await run(1.2, 0.9, false)).toEqual({ made: ['choice'], report: null, keepsUniform: false });
  });
});
