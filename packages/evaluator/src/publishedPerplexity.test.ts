import { join } from 'node:path';
import { readOnnxModel } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { compareLosses } from './compareLosses.ts';
import { scoreWindows } from './scoreWindows.ts';
import { summarizeScores } from './summarizeScores.ts';
import { DATA_FOLDER, hasData, storyWindows } from './testSupport/storyWindows.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

/** Measured on these models outside of the project, with a forward pass of its own. */
const PUBLISHED = [
  { name: 'stories260K-llama', all: 4.7035, first: 4.6341, digits: 4, bitsPerByte: 1.138, tokenCount: 83_023 },
  { name: 'tinystories-656k-llama', all: 29.003, first: 28.296, digits: 3, bitsPerByte: 1.25, tokenCount: 43_151 },
  { name: 'babyllama-105-llama', all: 2.237, first: 2.2406, digits: 4, bitsPerByte: 1.14, tokenCount: 51_000 },
];

describe.skipIf(!hasData)('published perplexities of three small Llamas', () => {
  it.each(PUBLISHED)('$name', async ({ name, all, first, digits, bitsPerByte, tokenCount }) => {
    const model = await readOnnxModel(join(DATA_FOLDER, 'onnx', `${name}.onnx`));
    const { windows, sizes } = storyWindows(name);
    const scores = await scoreWindows(model, windows, cpu);
    const result = summarizeScores(scores, sizes);
    expect(result.perplexity).toBeCloseTo(all, digits);
    expect(result.bitsPerByte).toBeCloseTo(bitsPerByte, 3);
    expect(result.tokenCount).toBe(tokenCount);
    const head = compareLosses(scores.nll.subarray(0, 20), new Float64Array(20), scores.tokenCounts.subarray(0, 20));
    expect(Math.exp(head.nllDifference)).toBeCloseTo(first, digits);
  });

  it('gives the same figures, bit for bit, whatever the batches, the order, and with a baseline', async () => {
    const model = await readOnnxModel(join(DATA_FOLDER, 'onnx', 'tinystories-656k-llama.onnx'));
    const stories = storyWindows('tinystories-656k-llama').windows.slice(0, 6);
    const windows = stories.flatMap(({ ids }) =>
      [33, 64, 64, 101].map((length, part) => ({ ids: ids.slice(part * 5, part * 5 + length), firstScored: 1 + part })),
    );
    const alone = await scoreWindows(model, windows, { ...cpu, batchTokens: 1 });
    const together = await scoreWindows(model, windows, { ...cpu, batchTokens: 4096 });
    const compared = await scoreWindows(model, windows, { ...cpu, baseline: model, batchTokens: 300 });
    const backwards = await scoreWindows(model, windows.toReversed(), { ...cpu, batchTokens: 300 });
    expect(together.nll).toEqual(alone.nll);
    expect(together.gaps).toEqual(alone.gaps);
    expect(backwards.nll.toReversed()).toEqual(alone.nll);
    expect(backwards.right.toReversed()).toEqual(alone.right);
    expect(compared.nll).toEqual(alone.nll);
    expect(compared.baseline!.nll).toEqual(alone.nll);
  });
});
