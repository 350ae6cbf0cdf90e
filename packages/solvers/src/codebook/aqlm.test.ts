import { reconstruct } from '@quern/core';
import { createWordSearch, gemm, type Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { identityStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { aqlm } from './aqlm.ts';
import { aqlmOptions } from './aqlmOptions.ts';
import { assignCodes } from './assignCodes.ts';
import { chooseFormat } from './codebookFormat.ts';
import { type CodebookProblem, codebookProblem, type Iterate } from './codebookProblem.ts';
import { fitScales } from './fitScales.ts';
import { fitWords } from './fitWords.ts';
import { recursionOf } from './recursionOf.ts';
import { refineCodes } from './refineCodes.ts';
import { groupsPerBlock } from './searchGroups.ts';

const FORMAT = { groupSize: 4, codebookCount: 2, codebookBits: 3 } as const;
const [OUTPUTS, INPUTS] = [40, 30];
const statistics = statisticsOf(randomActivations(90, INPUTS));

function setting(): { problem: CodebookProblem; iterate: Iterate } {
  const weight = randomWeight(OUTPUTS, INPUTS, 3, 2);
  weight.data.fill(0, 7 * INPUTS, 8 * INPUTS); // what has the scale 0
  const problem = codebookProblem(weight, statistics, FORMAT, 0.01);
  const codeCount = OUTPUTS * problem.groupCount * FORMAT.codebookCount;
  const iterate = {
    words: randomWeight(16, 4, 5).data.map(Math.f16round) as Float32Array<ArrayBuffer>,
    codes: Uint16Array.from(randomWeight(codeCount, 1, 6, 4).data, value => Math.floor(value + 4)),
    scales: Float32Array.from({ length: OUTPUTS }, (_, output) => (output === 7 ? 0 : 1 + (output % 3))),
  };
  return { problem, iterate };
}

const searchFor = (problem: CodebookProblem, beam: number) =>
  createWordSearch({
    rowCapacity: OUTPUTS,
    groupCount: problem.groupCount,
    length: FORMAT.groupSize,
    codebookCount: FORMAT.codebookCount,
    wordCount: 2 ** FORMAT.codebookBits,
    beam,
    slots: groupsPerBlock(FORMAT.groupSize),
  });

/** tr(E H E^T) of what would be stored, by the dense weight. */
async function lossOf(problem: CodebookProblem, iterate: Iterate): Promise<number> {
  const { weight, hessian, inputCount } = problem;
  const { words: codebooks, codes, scales } = iterate;
  const stored = { kind: 'codebook', outFeatures: OUTPUTS, inFeatures: inputCount, ...FORMAT } as const;
  const dense = await reconstruct({ ...stored, codebooks, codes, scales });
  const data = Float64Array.from(dense.data, (value, index) => {
    const column = index % inputCount;
    const original = column < INPUTS ? weight.data[Math.floor(index / inputCount) * INPUTS + column]! : 0;
    return original - value;
  });
  const errors = { rows: OUTPUTS, columns: inputCount, data };
  const image = await gemm(errors, hessian);
  return data.reduce((sum, value, index) => sum + value * image.data[index]!, 0);
}

describe('the steps of aqlm', () => {
  it.each([1, 2, 8])('searching codes never raises the loss, and knows what it fell by: beam %i', async beam => {
    const { problem, iterate } = setting();
    const search = searchFor(problem, beam);
    let before = await lossOf(problem, iterate);
    for (let round = 0; round < 4; round++) {
      const fallen = await refineCodes(problem, iterate, search);
      const after = await lossOf(problem, iterate);
      if (round === 0) expect(fallen).toBeGreaterThan(0);
      expect(fallen).toBeGreaterThanOrEqual(0);
      // The output of scale 0 has no loss of its own to fall; the others count in units of their scales.
      expect(after).toBeLessThanOrEqual(before * (1 + 1e-6));
      before = after;
    }
  });

  it('with one scale for all, the fall that it reports is that of the loss', async () => {
    const { problem, iterate: given } = setting();
    const iterate = { ...given, scales: new Float32Array(OUTPUTS).fill(2) };
    const before = await lossOf(problem, iterate);
    const fallen = await refineCodes(problem, iterate, searchFor(problem, 4));
    expect(4 * fallen).toBeCloseTo(before - (await lossOf(problem, iterate)), 3);
  });

  it('codes from the recursion lose less than the nearest words', async () => {
    const { problem, iterate } = setting();
    const search = searchFor(problem, 8);
    await assignCodes(problem, await recursionOf(problem, 0.01), iterate, search);
    const ordered = await lossOf(problem, iterate);
    const white = codebookProblem(problem.weight, identityStatistics(INPUTS), FORMAT, 0.01);
    await assignCodes(white, await recursionOf(white, 0.01), iterate, search);
    expect(ordered).toBeLessThan(0.8 * (await lossOf(problem, iterate)));
  });

  it.each([
    { groupSize: 4, codebookCount: 1, codebookBits: 4 },
    { groupSize: 8, codebookCount: 2, codebookBits: 6 },
    { groupSize: 6, codebookCount: 3, codebookBits: 4 },
  ])('recovers planted codes from the words: %o', async format => {
    const { groupSize, codebookCount, codebookBits } = format;
    const [rows, columns] = [50, 6 * groupSize];
    const size = groupSize * 2 ** codebookBits;
    // Each codebook refines the one before.
    const words = randomWeight(codebookCount * 2 ** codebookBits, groupSize, 11).data.map((value, index) =>
      Math.f16round(value * 4 ** -Math.floor(index / size)),
    ) as Float32Array<ArrayBuffer>;
    const draws = randomWeight(rows * 6 * codebookCount, 1, 12).data;
    const planted = Uint16Array.from(draws, value => Math.floor(((value + 1) / 2) * 2 ** codebookBits));
    const scales = Float32Array.from({ length: rows }, (_, output) => 0.5 + output / 64);
    const stored = { kind: 'codebook', outFeatures: rows, inFeatures: columns, ...format } as const;
    const weight = await reconstruct({ ...stored, codebooks: words, codes: planted, scales });
    const problem = codebookProblem(weight, statisticsOf(randomActivations(200, columns)), format, 0.01);
    const search = createWordSearch({
      rowCapacity: rows,
      groupCount: 6,
      length: groupSize,
      codebookCount,
      wordCount: 2 ** codebookBits,
      beam: 8,
      slots: groupsPerBlock(groupSize),
    });
    const iterate = { words, scales, codes: new Uint16Array(planted.length) };
    await assignCodes(problem, await recursionOf(problem, 0.01), iterate, search);
    for (let round = 0; round < 3; round++) await refineCodes(problem, iterate, search);
    expect(iterate.codes).toEqual(planted);
  });

  it('words are those of least squares: no word can be moved to lose less', async () => {
    const { problem, iterate } = setting();
    const words = await fitWords(problem, iterate, 200);
    const fitted = { ...iterate, words };
    const least = await lossOf(problem, fitted);
    expect(least).toBeLessThan(await lossOf(problem, iterate));
    // Each value alone: the loss is a parabola in it, whose lowest point is where it stands but for rounding to float16.
    for (const index of [0, 5, 17, 31, 42, 63]) {
      const moved = async (by: number) => lossOf(problem, { ...fitted, words: words.with(index, words[index]! + by) });
      const [down, up] = [await moved(-0.5), await moved(0.5)];
      const lowest = (0.25 * (down - up)) / (down + up - 2 * least);
      expect(Math.abs(lowest)).toBeLessThan(5e-3);
    }
  });

  it('scales are those of least squares, and the loss that is reported is that of the result', async () => {
    const { problem, iterate } = setting();
    // With codes that fit: a scale that would be negative stays as it is.
    await refineCodes(problem, iterate, searchFor(problem, 8));
    const fitted = { ...iterate, words: await fitWords(problem, iterate, 50) };
    const { scales, loss } = await fitScales(problem, fitted);
    expect(scales[7]).toBe(0);
    expect(loss / (await lossOf(problem, { ...fitted, scales }))).toBeCloseTo(1, 5);
    for (const factor of [0.99, 1.01]) {
      const moved = { ...fitted, scales: scales.map(scale => scale * factor) as Float32Array<ArrayBuffer> };
      expect(await lossOf(problem, moved)).toBeGreaterThan(loss);
    }
  });
});

describe('aqlm', () => {
  it('more sweeps, and a wider beam, lose no more', async () => {
    const weight = randomWeight(64, 48, 8);
    const given = statisticsOf(randomActivations(120, 48));
    const lossAfter = async (options: object): Promise<number> =>
      relativeOutputError(weight, await reconstruct(await aqlm(weight, given, options)), given.inputGram);
    const format = { bits: 2, group: 4, codebooks: 2 };
    const errors = [];
    for (const sweeps of [1, 2, 4, 8]) errors.push(await lossAfter({ ...format, sweeps, dampingFraction: 1e-9 }));
    expect(errors).toEqual(errors.toSorted((left, right) => right - left));
    expect(await lossAfter({ ...format, beam: 8 })).toBeLessThan(await lossAfter({ ...format, beam: 1 }));
  });

  it('another seed starts from other words', async () => {
    const weight = randomWeight(24, 32, 8);
    const given = statisticsOf(randomActivations(120, 32));
    const [first, second] = await Promise.all([0, 1].map(seed => aqlm(weight, given, { bits: 2, seed })));
    expect(first).not.toEqual(second);
  });
});

describe('chooseFormat', () => {
  const choose = (outFeatures: number, inFeatures: number, options: object) => {
    const { groupSize, codebookCount, codebookBits } = chooseFormat(
      { outFeatures, inFeatures },
      aqlmOptions.parse(options),
    );
    return `${codebookCount}x${codebookBits} g${groupSize}`;
  };

  it('takes wider codes over longer groups as the weight grows', () => {
    expect(choose(128, 128, { bits: 2 })).toBe('1x4 g2');
    expect(choose(256, 768, { bits: 2 })).toBe('1x8 g4');
    expect(choose(2048, 2048, { bits: 2 })).toBe('1x12 g6');
    expect(choose(256, 256, { bits: 8 })).toBe('1x8 g1');
  });

  it('follows the options', () => {
    expect(choose(128, 128, { bits: 2, group: 8, codebooks: 2 })).toBe('2x8 g8');
    expect(choose(128, 128, { bits: 2, group: 8, codebooks: 1, codebookBits: 16 })).toBe('1x16 g8');
    expect(choose(128, 128, { bits: 1.5, codebookBits: 3 })).toBe('1x3 g2');
  });

  it('refuses what contradicts itself', () => {
    for (const options of [
      { bits: 2.3 },
      { bits: 2, group: 8, codebooks: 3 },
      { bits: 2, group: 8, codebookBits: 5 },
    ]) {
      expect(() => choose(64, 64, options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
  });
});

/** Statistics are not to be read beyond the inputs that exist. */
it('takes inputs that fill no group', async () => {
  const weight: Matrix<Float32Array> = randomWeight(16, 13, 9);
  const given = statisticsOf(randomActivations(60, 13));
  const result = await aqlm(weight, given, { bits: 4, group: 8, codebooks: 4 });
  expect(result.codes.length).toBe(16 * 2 * 4);
  expect(await relativeOutputError(weight, await reconstruct(result), given.inputGram)).toBeLessThan(0.1);
});
