import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer } from '@quern/calibration';
import { type OnnxModel, readOnnxModel } from '@quern/onnx';
import { generateGreedy, openSession } from '@quern/runtime';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, hasOutside, outside, runQuern } from './runQuern.ts';

interface GenaiFile {
  model: {
    type: string;
    bos_token_id: number;
    context_length: number;
    vocab_size: number;
    decoder: {
      filename: string;
      head_size: number;
      num_key_value_heads: number;
      num_hidden_layers: number;
      inputs: Record<string, string>;
      outputs: Record<string, string>;
    };
  };
  search: Record<string, unknown>;
}

let folder = '';
let genai = '';
let text = '';
let config: GenaiFile;
let graph: OnnxModel;
let perplexity = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-genai-'));
  genai = join(folder, 'genai');
  text = join(folder, 'text.txt');
  await writeFile(text, 'Once upon a time, a cat and a dog lived in a small house by the sea. '.repeat(20));
  const flags = ['--method', 'rtn', '--layout', 'genai', '--evaluate', text, '--window-length', '64', '--json'];
  const run = await runQuern('compress', demo, '--out', genai, ...flags);
  expect(run.code).toBe(0);
  perplexity = (JSON.parse(run.stdout) as { perplexity: { after: number } }).perplexity.after;
  config = JSON.parse(await readFile(join(genai, 'genai_config.json'), 'utf8')) as GenaiFile;
  graph = await readOnnxModel(join(genai, config.model.decoder.filename));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** `past_key_values.%d.key` for every block, other names as they are. */
function expand(names: Record<string, string>): string[] {
  const { num_hidden_layers: blockCount } = config.model.decoder;
  return Object.values(names).flatMap(name =>
    name.includes('%d') ? Array.from({ length: blockCount }, (_, block) => name.replace('%d', String(block))) : [name],
  );
}

describe('compress --layout genai', () => {
  it('writes the files that onnxruntime-genai looks for', async () => {
    expect((await readdir(genai)).sort()).toEqual([
      'README.md',
      'config.json',
      'genai_config.json',
      'generation_config.json',
      'model.onnx',
      'model.onnx.data',
      'quern.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(graph.proto.irVersion).toBe(10n);
    expect(graph.proto.graph!.name).toBe('main_graph');
  });

  it('names every input and output of the graph, and no other', () => {
    const { inputs, outputs } = config.model.decoder;
    expect(expand(inputs).sort()).toEqual(graph.proto.graph!.input.map(({ name }) => name).sort());
    expect(expand(outputs).sort()).toEqual(graph.proto.graph!.output.map(({ name }) => name).sort());
    expect(expand(inputs)).toHaveLength(2 + 2 * 6);
  });

  it('tells the sizes of the demo', () => {
    expect(config.model).toMatchObject({ type: 'llama', bos_token_id: 0, context_length: 256, vocab_size: 4096 });
    expect(config.model.decoder).toMatchObject({ head_size: 32, num_key_value_heads: 4, num_hidden_layers: 6 });
    expect(config.search.past_present_share_buffer).toBe(true);
  });

  it('generates, fed by the names of the config, with past and present in one buffer of the longest length', async () => {
    const { decoder } = config.model;
    const session = await InferenceSession.create(join(genai, decoder.filename));
    const prompt = [0, ...(await loadTokenizer(genai)).encode('Once upon a time')];
    const dims = [1, decoder.num_key_value_heads, 64, decoder.head_size];
    const cache = (name: string) => {
      const length = dims.reduce((product, size) => product * size, 1);
      return Array.from({ length: decoder.num_hidden_layers }, () => new Float32Array(length)).map(
        (data, block) => [name.replace('%d', String(block)), new Tensor('float32', data, dims)] as const,
      );
    };
    const keys = cache(decoder.inputs.past_key_names!);
    const values = cache(decoder.inputs.past_value_names!);
    const presents = [
      ...keys.map(([, tensor], block) => [decoder.outputs.present_key_names!.replace('%d', String(block)), tensor]),
      ...values.map(([, tensor], block) => [decoder.outputs.present_value_names!.replace('%d', String(block)), tensor]),
    ];
    const integers = (list: readonly number[]) =>
      new Tensor('int64', BigInt64Array.from(list.map(BigInt)), [1, list.length]);
    const ids = [...prompt];
    for (let step = 0; step < 20; step++) {
      const feeds = {
        [decoder.inputs.input_ids!]: integers(step === 0 ? prompt : ids.slice(-1)),
        [decoder.inputs.attention_mask!]: integers(ids.map(() => 1)),
        ...Object.fromEntries([...keys, ...values]),
      };
      const fetches = {
        [decoder.outputs.logits!]: null,
        ...Object.fromEntries(presents),
      } as InferenceSession.FetchesType;
      const logits = (await session.run(feeds, fetches))[decoder.outputs.logits!]!.data as Float32Array;
      const last = logits.slice(-config.model.vocab_size);
      ids.push(last.indexOf(Math.max(...last)));
    }
    await session.release();
    const own = await openSession(graph, { device: 'cpu' });
    const expected = await generateGreedy(own, Int32Array.from(prompt), { maxNewTokens: 20, stopIds: [] });
    await own.release();
    expect(ids.slice(prompt.length)).toEqual([...expected]);
  });

  it('holds the weights of the transformers.js layout', async () => {
    const other = join(folder, 'transformersjs');
    const run = await runQuern('compress', demo, '--out', other, '--method', 'rtn', '--evaluate', 'none');
    expect(run.code).toBe(0);
    const hash = async (path: string) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    const theirs = await hash(join(other, 'onnx', 'model_q4.onnx_data'));
    expect(await hash(join(genai, 'model.onnx.data'))).toBe(theirs);
  });

  it('can be evaluated and inspected', async () => {
    const run = await runQuern('evaluate', genai, '--data', text, '--window-length', '64', '--json');
    expect(run.code).toBe(0);
    expect((JSON.parse(run.stdout) as { perplexity: number }).perplexity).toBeCloseTo(perplexity, 9);
    const inspected = JSON.parse((await runQuern('inspect', genai, '--json')).stdout) as Record<string, unknown>;
    expect(inspected).toMatchObject({ contextLength: 256, quantizedBy: expect.stringMatching(/NBits|BlockQuantized/) });
  });
});

it.skipIf(!hasOutside)('refuses a decoder without cache (skipped without ../shared/data)', async () => {
  const flags = ['--tokenizer', join(outside, 'models', 'stories260K-llama'), '--layout', 'genai'];
  const out = join(folder, 'refused');
  const run = await runQuern('compress', join(outside, 'onnx', 'stories260K-llama.onnx'), '--out', out, ...flags);
  expect([run.code, run.stdout]).toEqual([2, '']);
  expect(run.stderr).toMatch(/no input past_key_values\.0\.key.*--layout transformersjs.*\[INVALID_OPTION\]/);
  expect(await readdir(folder)).not.toContain('refused');
});
