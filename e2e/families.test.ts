/**
 * Every family of decoders through the whole tool, at small made-up checkpoints. What the graph computes is held against a naive twin in
 * packages/importer; here against the model before it was compressed, and against clients.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../packages/calibration/src/index.ts';
import { scoreContinuations, scoreWindows } from '../packages/evaluator/src/index.ts';
import { findBlockCuts, findHead, readOnnxModel } from '../packages/onnx/src/index.ts';
import { scoreByBlocks } from '../packages/pipeline/src/forward/scoreByBlocks.ts';
import { type CompressResult, compress, generateText } from '../packages/pipeline/src/index.ts';
import { openModel } from '../packages/pipeline/src/open/openModel.ts';
import { type RecipeInput, resolveRecipe } from '../packages/pipeline/src/recipe.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { demo } from './runQuern.ts';
import { families } from './smallFamilies.ts';

env.allowRemoteModels = false;
env.allowLocalModels = true;

const PROMPT = 'Once upon a time, a cat and a dog lived by the sea';
const NEW_TOKENS = 24;
/** Longer than every window of attention below. */
const WINDOW = 48;
/** Nats a token that rounding to 8 bits moves a model by that knows nothing: its losses are near 14, Llama's moves by 0.012. */
const NOISE = 0.03;
let folder = '';
let text = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-families-'));
  process.env.QUERN_CACHE = join(folder, 'cache');
  text = join(folder, 'text.txt');
  await writeFile(
    text,
    'Once upon a time, a cat and a dog lived in a small house by the sea. They had a red ball. '.repeat(20),
  );
});
afterAll(async () => {
  delete process.env.QUERN_CACHE;
  await rm(folder, { recursive: true, force: true });
});

describe.each(Object.entries(families))(
  '%s',
  (name, { shape, genaiType, unfolded, contextLength, sharesAtoms, webgpu, rotation }) => {
    const place = (result: string): string => join(folder, name.replace(' ', '-'), result);
    const run = async (result: string, recipe: RecipeInput): Promise<CompressResult> => {
      const calibration = { data: text, windows: 8, windowLength: WINDOW };
      const common = { evaluate: text, windowLength: WINDOW, perDocument: false, force: true, resume: false } as const;
      const request = { model: place('model'), out: place(result), recipe: resolveRecipe({ ...recipe, calibration }) };
      return compress({ ...request, ...common, device: 'cpu' }, () => undefined);
    };
    const graphOf = (result: string, file: string) => readOnnxModel(join(place(result), file));
    const expectFolded = async (result: string, file: string): Promise<void> => {
      const { proto } = await graphOf(result, file);
      const scales = proto.graph!.initializer.map(tensor => tensor.name).filter(own => own.includes('_input_scale'));
      expect(scales.filter(own => !unfolded.test(own))).toEqual([]);
      expect(scales.length).toBeGreaterThan(0);
    };
    const generate = async (result: string): Promise<string> => {
      const request = {
        model: place(result),
        prompt: PROMPT,
        maxNewTokens: NEW_TOKENS,
        stop: [],
        temperature: 0,
        seed: 0,
      };
      return (await generateText({ ...request, device: 'cpu' }, () => undefined, { emit: () => undefined })).text;
    };

    beforeAll(async () => {
      await mkdir(place(''), { recursive: true });
      await writeSyntheticCheckpoint(place('model'), shape, demo);
    });

    it('loses nothing at 8 bits, with input scales folded away', async () => {
      const { perplexity } = await run('awq', { method: 'awq', bits: 8, accuracyLevel: 0 });
      expect(Math.abs(perplexity!.nllDifference)).toBeLessThan(NOISE);
      await expectFolded('awq', 'onnx/model_quantized.onnx');
    });

    it('runs in float16 for onnxruntime-genai', async () => {
      const { perplexity } = await run('genai', {
        method: 'awq',
        bits: 8,
        dtype: 'fp16',
        layout: 'genai',
        accuracyLevel: 0,
      });
      expect(Math.abs(perplexity!.nllDifference)).toBeLessThan(NOISE);
      await expectFolded('genai', 'model.onnx');
      const { model } = JSON.parse(await readFile(join(place('genai'), 'genai_config.json'), 'utf8'));
      expect(model).toMatchObject({ type: genaiType, context_length: contextLength });
      expect((await openModel(place('genai'))).text?.contextLength).toBe(contextLength);
      expect(model.decoder).toMatchObject({ head_size: 32, num_key_value_heads: shape.keyValueHeadCount });
    });

    it('is opened by transformers.js, which writes the text that we write', async () => {
      await run('client', { method: 'gptq', bits: 4, headBits: 4 });
      expect((await openModel(place('client'))).text?.contextLength).toBe(contextLength);
      const ours = await generate('client');
      const generator = await pipeline('text-generation', place('client'), { device: 'cpu' });
      const ids = [0, ...(await loadTokenizer(place('client'))).encode(PROMPT)];
      const inputs = generator.tokenizer(`<|endoftext|>${PROMPT}`, { add_special_tokens: false });
      expect(Array.from(inputs.input_ids.data as BigInt64Array, Number)).toEqual(ids);
      const options = { ...inputs, max_new_tokens: NEW_TOKENS, do_sample: false };
      const output = (await generator.model.generate(options)) as unknown as { data: BigInt64Array };
      const theirs = Int32Array.from(output.data, Number).slice(ids.length);
      await generator.dispose();
      expect(theirs.length).toBe(NEW_TOKENS);
      expect((await loadTokenizer(place('client'))).decode(theirs)).toBe(ours);
    });

    it('is scored block by block as in one piece', async () => {
      const windows = [48, 30].map((length, seed) => ({
        ids: Int32Array.from({ length }, (_, at) => (at * 7919 + seed * 104729) % 4001),
        firstScored: 1,
      }));
      const original = (await openModel(place('model'))).model;
      for (const model of [original, await graphOf('awq', 'onnx/model_quantized.onnx')]) {
        const cuts = findBlockCuts(model)!;
        expect(findHead(model, 'logits')).not.toBeNull();
        expect(cuts.map(({ block }) => block)).toEqual([0, 1, 2]);
        const options = { device: 'cpu', scratch: place('hidden'), sliceBytes: 4 * 64 * 1000 } as const;
        const blocks = await scoreByBlocks({ model, cuts }, windows, options);
        const whole = await scoreWindows(model, windows, { device: 'cpu' });
        for (const [at, nll] of whole.nll.entries()) expect(blocks.nll[at]! / nll).toBeCloseTo(1, 5);
      }
    });

    it('scores answers beside each other as it does each alone', async () => {
      const { model } = await openModel(place('model'));
      const windows = [3, 1, 6].map((count, answer) => ({
        ids: Int32Array.from({ length: 20 + count }, (_, at) => (at * 7919 + (at < 20 ? 0 : answer * 104729)) % 4001),
        firstScored: 20,
      }));
      const scored = (items: number[][]) => scoreContinuations(model, windows, items, { device: 'cpu' });
      const [alone, together] = [await scored([[0], [1], [2]]), await scored([[0, 1, 2]])];
      for (const [at, value] of alone.logLikelihood.entries()) {
        expect(together.logLikelihood[at]! / value).toBeCloseTo(1, 5);
      }
    });

    if (sharesAtoms !== undefined) {
      it('has dictionaries, which share their atoms where sites read one input', async () => {
        const { sites, perplexity } = await run('dictionary', {
          ...{ method: 'dictionary', bits: 8, ratio: 0.5, storage: 'container' },
          exclude: ['model.layers.{1,2}.*', '*.mlp.*'],
        });
        expect(sites.some(({ sharedFactor }) => sharedFactor !== undefined)).toBe(sharesAtoms);
        expect(perplexity!.after).toBeLessThan(2 * perplexity!.before);
      });
    }

    if (webgpu) {
      it('refuses a target that would compute something else', async () => {
        await expect(run('webgpu', { method: 'rtn', target: 'webgpu' })).rejects.toThrow(webgpu);
      });
    }

    it(rotation ? 'refuses rotation, and says why' : 'is the same model in a rotated basis', async () => {
      const rotated = run('rotated', { method: 'none', rotate: true });
      if (rotation) return expect(rotated).rejects.toThrow(rotation);
      expect(Math.abs((await rotated).perplexity!.nllDifference)).toBeLessThan(1e-5);
    });
  },
);
