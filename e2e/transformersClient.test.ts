import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { loadTokenizer } from '@quern/calibration';
import { readOnnxModel } from '@quern/onnx';
import { generateGreedy, openSession } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

env.allowRemoteModels = false;
env.allowLocalModels = true;

const PROMPT = 'Once upon a time';
const NEW_TOKENS = 40;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-client-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const FEW = ['--windows', '16', '--window-length', '64', '--exclude', 'model.layers.{3,4,5}.*'];
const LOW_RANK = ['--method', 'svd-llm-v2', '--ratio', '0.2', ...FEW];
// Few atoms: what is learnt is not what is tested.
const SPARSE = ['--method', 'dictionary', '--bits', '4', '--ratio', '0.8', '--storage', 'container', ...FEW];

const cases = [
  { name: 'q4', graph: 'model_q4.onnx', flags: ['--bits', '4'] },
  { name: 'q8', graph: 'model_quantized.onnx', flags: ['--bits', '6', '--group-size', '128'] },
  { name: 'q2', graph: 'model_q2.onnx', flags: ['--bits', '2'] },
  { name: 'q4f16', graph: 'model_q4f16.onnx', flags: ['--bits', '4', '--dtype', 'fp16'] },
  // Factors, and weights that the spread of the ratio leaves dense.
  { name: 'low-rank', graph: 'model.onnx', flags: LOW_RANK },
  { name: 'sparse', graph: 'model_q4.onnx', flags: SPARSE },
  { name: 'fp16', graph: 'model_fp16.onnx', flags: ['--method', 'none', '--dtype', 'fp16'] },
];

describe.each(cases)('transformers.js opens the $name folder', ({ name, graph, flags }) => {
  it('without being told the dtype, and generates the tokens of our own runtime', async () => {
    const out = join(folder, name);
    const run = await runQuern(
      'compress',
      demo,
      '--out',
      out,
      '--method',
      'rtn',
      ...flags,
      '--evaluate',
      'none',
      '--device',
      'cpu',
    );
    expect(run.code).toBe(0);

    const tokenizer = await loadTokenizer(out);
    const session = await openSession(await readOnnxModel(join(out, 'onnx', graph)), { device: 'cpu' });
    const prompt = Int32Array.of(0, ...tokenizer.encode(PROMPT));
    const ours = await generateGreedy(session, prompt, { maxNewTokens: NEW_TOKENS, stopIds: [0] });

    const generator = await pipeline('text-generation', out, { device: 'cpu' });
    const inputs = generator.tokenizer(`<|endoftext|>${PROMPT}`, { add_special_tokens: false });
    expect(Array.from(inputs.input_ids.data as BigInt64Array, Number)).toEqual([...prompt]);
    const output = (await generator.model.generate({
      ...inputs,
      max_new_tokens: NEW_TOKENS,
      do_sample: false,
    })) as unknown as { data: BigInt64Array };
    const theirs = Array.from(output.data, Number).slice(prompt.length);
    expect(theirs.filter(id => id !== 0)).toEqual([...ours].filter(id => id !== 0));
    expect(theirs.length).toBeGreaterThan(10);
    await generator.dispose();
  });
});
