import { benjaminiHochberg, mcnemarTest } from '@quern/evaluator';
import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../recipe.ts';
import { drawStudy } from './drawStudy.ts';
import { renderStudy } from './renderStudy.ts';
import { resolveGrid } from './studyGrid.ts';
import type { Study, StudyCell } from './studyResult.ts';
import { testStudy } from './testStudy.ts';

const WINDOWS = 24;
const tokenCounts = new Array<number>(WINDOWS).fill(10);
const original = {
  texts: [0, 1].map(text => tokenCounts.map((_, window) => 30 + 5 * Math.sin(window + text))),
  tasks: [Array.from({ length: 40 }, (_, item) => Number(item < 20))],
};
/** Losses that are the original's and `by` nats a token more, give or take a little that is the cell's own. */
const cell = (calibration: string | null, by: readonly [number, number], lost: number): StudyCell => ({
  method: calibration === null ? 'rtn' : 'gptq',
  bits: 3,
  calibration,
  storedBytes: 100,
  bitsPerWeight: 3.25,
  scores: {
    texts: original.texts.map((losses, text) =>
      losses.map((loss, window) => loss + 10 * by[text]! + 0.2 * Math.sin(7 * window + (calibration?.length ?? 0))),
    ),
    tasks: original.tasks.map(answers => answers.map((right, item) => Number(right === 1 && item >= lost))),
  },
  failure: null,
});
const cells = [cell(null, [0.5, 0.5], 12), cell('own', [0.1, 0.2], 1), cell('other', [0.3, 0.2], 0)];
const failed: StudyCell = { ...cell('broken', [0, 0], 0), scores: null, failure: 'not positive definite' };
const texts = ['one', 'two'].map(data => ({ data, sha256: '', windowLength: 11, stride: 11, tokenCounts }));
const tasks = [{ task: 'copa', data: 'copa.jsonl', sha256: '', itemCount: 40, measure: 'acc' as const }];
const tests = testStudy({ texts, tasks, original, cells: [...cells, failed] }, 0);

describe('testStudy', () => {
  it('finds what was planted: differences a token, answers lost', () => {
    const { difference, standardError } = tests.texts.find(test => test.cell === 2 && test.measure === 0)!;
    expect(difference).toBeCloseTo(0.3, 2);
    const deviations = cells[2]!.scores!.texts[0]!.map(
      (loss, window) => loss - original.texts[0]![window]! - 10 * difference,
    );
    const squares = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
    expect(standardError).toBeCloseTo(Math.sqrt(squares) / (10 * WINDOWS), 12);
    expect(tests.tasks.map(test => test.difference)).toEqual([-12 / 40, -1 / 40, 0]);
    expect(tests.tasks.map(test => test.pValue)).toEqual([mcnemarTest(12, 0), 1, 1]);
  });

  it('compares calibrations of one method and width, and nothing else', () => {
    expect(tests.pairs.map(({ cell: first, other, measure }) => [first, other, measure])).toEqual([
      [1, 2, 0],
      [1, 2, 1],
    ]);
    const [one, two] = tests.pairs;
    expect(one!.difference).toBeCloseTo(-0.2, 2);
    expect(one!.qValue).toBeLessThan(0.001);
    expect(Math.abs(two!.difference)).toBeLessThan(0.01);
    expect(two!.qValue).toBeGreaterThan(0.05);
  });

  it('adjusts each list as a whole', () => {
    for (const list of [tests.texts, tests.tasks, tests.pairs]) {
      expect(list.map(test => test.qValue)).toEqual(benjaminiHochberg(list.map(test => test.pValue)));
    }
  });

  it('draws the same numbers again', () => {
    expect(testStudy({ texts, tasks, original, cells: [...cells, failed] }, 0)).toEqual(tests);
  });
});

const study = (): Study => ({
  version: '0',
  model: { path: 'demo', sha256: [] },
  grid: resolveGrid({ methods: ['rtn', 'gptq'], calibration: ['own', 'other', 'broken'] }),
  recipe: resolveRecipe({}),
  calibrations: [{ data: 'own', windows: 8, windowLength: 11, sha256: '' }],
  ...{ texts, tasks, original, tests, cells: [...cells, failed], key: '' },
  unavailable: [{ method: 'gptq', bits: 2.5, reason: 'no such width.' }],
});

it('renderStudy names the best calibration, those equal to it, and what failed', () => {
  const report = renderStudy(study());
  expect(report).toContain(
    `one ${Math.exp(original.texts[0]!.reduce((sum, loss) => sum + loss, 0) / 240).toFixed(2)} (240 tokens`,
  );
  expect(report).toContain('copa 50.0 % acc (40 items)');
  expect(report).toMatch(
    /\| rtn \| 3 \| - \| 3\.25 \| \+0\.50\d\d ± 0\.00\d\d \* \| \+0\.50\d\d .* \| -30\.0 ± 7\.2 \* \|/,
  );
  expect(report).toMatch(/\| gptq \| 3 \| broken \| - \| failed \| failed \| failed \|/);
  expect(report).toMatch(/\| gptq \| 3 \| \*\*own\*\* \(0\.20\d\d\) \| no difference: o\w+, o\w+ \(0\.00\d\d\) \|/);
  expect(report).toContain('- gptq at 2.5 bits is left out: no such width.');
  expect(report).toContain('- gptq:3 on broken failed: not positive definite');
  expect(report).not.toContain('**rtn');
});

it('drawStudy has a mark for every figure, and draws the same again', () => {
  const drawn = drawStudy(study());
  for (const { cell: index, measure, difference } of tests.texts) {
    const { calibration } = cells[index]!;
    const name = calibration === null ? 'rtn' : `gptq on ${calibration}`;
    expect([measure, drawn]).toEqual([
      measure,
      expect.stringContaining(`${name}: 3.25 bits, ${difference.toFixed(4)} nats`),
    ]);
  }
  expect(drawStudy(study())).toBe(drawn);
});
