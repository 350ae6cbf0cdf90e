import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer } from '@huggingface/tokenizers';
import type { TokenWindow } from '@quern/core';
import { type OnnxModel, readOnnxModel } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import type { ScoreOptions } from '../scoreWindows.ts';
import { DATA_FOLDER, hasData } from '../testSupport/storyWindows.ts';
import { tableModel } from '../testSupport/tableModel.ts';
import { answerItems } from './answerItems.ts';
import { encodeRequest } from './encodeRequest.ts';
import { loadTaskDefinition } from './loadTaskDefinition.ts';
import { parseTask } from './parseTask.ts';
import { scoreContinuations } from './scoreContinuations.ts';

const ln = Math.log;
const cpu = { device: 'cpu', threads: 1 } as const;
const window = (ids: readonly number[], firstScored: number) => ({ ids: Int32Array.from(ids), firstScored });

/** Every window an item of its own. */
const scoreEach = (model: OnnxModel, windows: readonly TokenWindow[], options: ScoreOptions) =>
  scoreContinuations(
    model,
    windows,
    windows.map((_, index) => [index]),
    options,
  );

/** p(next | current) by row, over three tokens. */
const MODEL = [
  [1 / 4, 1 / 2, 1 / 4],
  [1 / 8, 1 / 8, 3 / 4],
  [0.6, 0.3, 0.1],
];

describe('scoreContinuations', () => {
  it('adds ln p of the continuation alone, and tells where each token is the most likely', async () => {
    const model = tableModel(MODEL.map((row, id) => row.map(p => ln(p) + 7 * id)));
    const windows = [window([0, 1, 2, 0], 1), window([2, 1, 2, 0], 2), window([0, 1, 2, 1], 2), window([1, 1, 0], 2)];
    const { logLikelihood, isGreedy } = await scoreEach(model, windows, cpu);
    expect(logLikelihood[0]).toBeCloseTo(ln(1 / 2) + ln(3 / 4) + ln(0.6), 5);
    expect(logLikelihood[1]).toBeCloseTo(ln(3 / 4) + ln(0.6), 5);
    expect(logLikelihood[2]).toBeCloseTo(ln(3 / 4) + ln(0.3), 5);
    expect(logLikelihood[3]).toBeCloseTo(ln(1 / 8), 5);
    expect([...isGreedy]).toEqual([1, 1, 0, 0]);
  });

  it('gives every continuation the same likelihood where the model is uniform', async () => {
    const windows = [window([0, 1, 0], 1), window([1, 1, 1, 0], 2)];
    const { logLikelihood } = await scoreEach(
      tableModel([new Array(50).fill(2), new Array(50).fill(-1)]),
      windows,
      cpu,
    );
    for (const value of logLikelihood) expect(value).toBeCloseTo(-2 * ln(50), 4);
  });

  it('names a loss that is no number, and stops when asked to', async () => {
    const broken = tableModel([[Number.NaN, 0]]);
    await expect(scoreEach(broken, [window([0, 1], 1)], cpu)).rejects.toThrow(/token 1 of text 0 is NaN/);
    const signal = AbortSignal.abort();
    await expect(scoreEach(tableModel([[1, 0]]), [window([0, 1], 1)], { ...cpu, signal })).rejects.toThrow(/stopped/);
  });
});

describe.skipIf(!hasData)('ARC on a real model', () => {
  it('gives the same figures, bit for bit, for any order and size of batches', async () => {
    const folder = join(DATA_FOLDER, 'models/tinystories-656k-llama');
    const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
    const encode = (text: string) => Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids);
    const encoding = { encode, bosTokenId: 1, eosTokenId: null, contextLength: 512 };
    const path = join(DATA_FOLDER, 'bench/arc_easy.jsonl.gz');
    const content = gunzipSync(readFileSync(path)).toString();
    const items = parseTask(await loadTaskDefinition('arc_easy'), content, path).slice(0, 25);
    const windows = items.flatMap(({ requests }) => requests.map(request => encodeRequest(request, encoding)!.window));
    const model = await readOnnxModel(join(DATA_FOLDER, 'onnx/tinystories-656k-llama.onnx'));
    const one = await scoreEach(model, windows, { ...cpu, batchTokens: 1 });
    const many = await scoreEach(model, windows.toReversed(), { ...cpu, batchTokens: 2048 });
    expect(many.logLikelihood.toReversed()).toEqual(one.logLikelihood);
    expect(many.isGreedy.toReversed()).toEqual(one.isGreedy);
    const requests = items.map(({ requests: own }, item) => own.map((_, at) => 4 * item + at));
    expect(items.every(({ requests: own }) => own.length === 4)).toBe(true);
    expect(answerItems(items, requests, one).isRight).toHaveLength(25);
  });
});
