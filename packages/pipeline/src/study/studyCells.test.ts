import { createModel, DataType, findLinearSites, floatInitializer, node, tensorInput } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import { resolveRecipe } from '../recipe.ts';
import { studyCells } from './studyCells.ts';
import { parseStudyRecipe, resolveGrid, type StudyGridInput, writeStudyRecipe } from './studyGrid.ts';

const size = 64;
const model = createModel({
  folder: '.',
  inputs: [tensorInput('x', DataType.FLOAT, ['n', size])],
  outputs: [tensorInput('y', DataType.FLOAT, ['n', size])],
  initializers: [floatInitializer('a.weight', new Array(size * size).fill(1), [size, size])],
  nodes: [node('MatMul', ['x', 'a.weight'], ['y'], { name: '/a/MatMul' })],
});
const base = resolveRecipe({ groupSize: 64, bits: 5, ratio: 0.5, calibration: { windows: 7 }, headBits: 16 });
const events: PipelineEvent[] = [];
const plan = (grid: StudyGridInput) =>
  studyCells(model, findLinearSites(model), { grid: resolveGrid(grid), base, emit: event => events.push(event) });

describe('studyCells', () => {
  it('has every calibration where one is read, in order; each with what all share', () => {
    const { cells, unavailable } = plan({
      methods: ['rtn', 'gptq', 'rtn'],
      bits: [4, 3],
      calibration: ['code', 'self'],
    });
    expect(cells.map(({ method, bits, calibration }) => `${method}:${bits} ${calibration}`)).toEqual([
      ...['rtn:4 null', 'rtn:3 null'],
      ...['gptq:4 code', 'gptq:4 self', 'gptq:3 code', 'gptq:3 self'],
    ]);
    expect(unavailable).toEqual([]);
    expect(cells[5]!.recipe).toMatchObject({
      ...{ method: 'gptq', bits: 3, groupSize: 64, headBits: 16, sequential: false },
      calibration: { data: 'self', windows: 7 },
    });
    expect(cells[5]!.recipe).not.toHaveProperty('ratio');
  });

  it('leaves out a width that a method does not have, and tells', () => {
    const { cells, unavailable } = plan({ methods: ['watersic', 'gptq'], bits: [2.5, 4], calibration: ['code'] });
    expect(cells.map(({ method, bits }) => `${method}:${bits}`)).toEqual(['watersic:2.5', 'watersic:4', 'gptq:4']);
    expect(unavailable).toMatchObject([{ method: 'gptq', bits: 2.5, reason: expect.stringMatching(/bits \(2\.5\)/) }]);
    expect(events.at(-1)).toMatchObject({
      kind: 'warning',
      message: expect.stringMatching(/^gptq at 2\.5 bits is left out/),
    });
  });

  it('refuses a method with bits of its own, one with none of the widths, and one that is not known', () => {
    expect(() => plan({ methods: ['gptq:4'] })).toThrow(/widths of a study are those of --bits/);
    expect(() => plan({ methods: ['rtn'], bits: [2.5] })).toThrow(/bits \(2\.5\)/);
    expect(() => plan({ methods: ['magic'] })).toThrow(/Unknown method "magic"/);
  });
});

describe('the recipe of a study', () => {
  it('is read again as it was written', () => {
    const grid = resolveGrid({ methods: ['gptq'], bits: [3, 2.5], tasks: ['copa'], taskData: 'bench', limit: 5 });
    const { grid: read, base: shared } = parseStudyRecipe(writeStudyRecipe(grid, base), 'recipe.yaml');
    expect(resolveGrid(read)).toEqual(grid);
    expect(resolveRecipe(shared)).toEqual(base);
  });

  it('refuses keys that it does not know, and tasks without data', () => {
    expect(() => resolveGrid({ ...parseStudyRecipe('study: { widths: [4] }', 'x').grid })).toThrow(/widths/);
    expect(() => resolveGrid({ bits: [9] })).toThrow(/bits.0/);
    expect(() => resolveGrid({ tasks: ['copa'] })).toThrow(/--task-data/);
  });
});
