import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readOnnxModel } from '@quern/onnx';
import { evaluateModel } from '@quern/pipeline';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npyBytes } from '../packages/pipeline/src/testSupport/npyBytes.ts';
import { demo, hasOutside, outside, type Run, runQuern } from './runQuern.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-onnx-in-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Result {
  sites: { name: string; relativeOutputError: number | null }[];
  perplexity: { before: number; after: number; exact: number } | null;
  outputs: { name: string; relativeDifference: number | null; exact: number | null }[] | null;
  windowsUsed: number;
  storage: { originalBytes: number; compressedBytes: number };
}

function parse<T = Result>(run: Run): T {
  expect(run.stderr).not.toContain('quern:');
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout) as T;
}

const graph = (name: string) => join(outside, 'onnx', `${name}.onnx`);

/** A deterministic sequence in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

describe.skipIf(!hasOutside)('models of others (skipped without ../shared/data)', () => {
  let text = '';
  beforeAll(async () => {
    const stories = gunzipSync(await readFile(join(outside, 'text', 'tinystories_eval.txt.gz'))).toString();
    text = join(folder, 'stories.txt');
    await writeFile(text, stories.split('<|endoftext|>').slice(0, 5).join('<|endoftext|>'));
  });

  it.each(['stories260K-llama', 'babyllama-105-llama', 'tinystories-656k-llama'])(
    '%s: the export scores as its checkpoint',
    async name => {
      const checkpoint = join(outside, 'models', name);
      const evaluation = await evaluateModel(
        {
          model: graph(name),
          tokenizer: checkpoint,
          baseline: checkpoint,
          data: text,
          windowLength: 128,
          perDocument: false,
          device: 'cpu',
        },
        () => undefined,
      );
      // The checkpoint's graph uses other operators than the export: equal up to float32.
      expect(Math.abs(evaluation.baseline!.nllDifference)).toBeLessThan(1e-5);
      expect(evaluation.baseline!.klDivergence).toBeLessThan(1e-6);
      expect(evaluation.perplexity).toBeGreaterThan(1.5);
    },
  );

  it('stories260K-llama: calibrated block by block, measured before and after', async () => {
    const tokenizer = join(outside, 'models', 'stories260K-llama');
    const flags = ['--tokenizer', tokenizer, '--calibration', text, '--evaluate', text, '--window-length', '128'];
    const out = join(folder, 'stories');
    const run = await runQuern(
      'compress',
      graph('stories260K-llama'),
      ...flags,
      '--windows',
      '2',
      '--out',
      out,
      '--json',
    );
    const { perplexity, sites, windowsUsed, outputs } = parse(run);
    expect([sites.length, windowsUsed, outputs]).toEqual([35, 2, null]);
    for (const site of sites) expect(site.relativeOutputError).toBeLessThan(0.2);
    const written = { model: out, data: text, windowLength: 128, perDocument: false, device: 'cpu' } as const;
    const evaluation = await evaluateModel(written, () => undefined);
    expect(evaluation.perplexity).toBeCloseTo(perplexity!.after, 9);
    expect(evaluation.exact).toBeCloseTo(perplexity!.exact, 9);
  });

  it('magika: calibrated and measured on feeds, and what is reported is what the file does', async () => {
    const feeds = join(folder, 'magika');
    await mkdir(feeds);
    const next = sequence(1);
    const samples = Array.from({ length: 10 }, () => Int32Array.from({ length: 2048 }, () => Math.floor(next() * 257)));
    for (const [index, sample] of samples.entries()) {
      await writeFile(join(feeds, `${index}.npy`), npyBytes('<i4', [1, 2048], sample));
    }
    const out = join(folder, 'magika-q4');
    const flags = ['--feeds', feeds, '--method', 'gptq', '--bits', '4', '--accuracy-level', '0', '--json'];
    const { sites, perplexity, outputs, windowsUsed } = parse(
      await runQuern('compress', graph('magika_standard_v3_3'), ...flags, '--out', out),
    );
    expect(sites).toHaveLength(2);
    expect([perplexity, windowsUsed]).toEqual([null, 10]);
    const [before, after] = await Promise.all(
      [graph('magika_standard_v3_3'), join(out, 'onnx', 'model_q4.onnx')].map(path => InferenceSession.create(path)),
    );
    let difference = 0;
    let norm = 0;
    for (const sample of samples) {
      const bytes = new Tensor('int32', sample, [1, 2048]);
      const wanted = (await before!.run({ bytes })).target_label!.data as Float32Array;
      const actual = (await after!.run({ bytes })).target_label!.data as Float32Array;
      wanted.forEach((value, index) => {
        difference += (actual[index]! - value) ** 2;
        norm += value ** 2;
      });
    }
    const expected = Math.sqrt(difference / norm);
    expect(outputs).toEqual([
      { name: 'target_label', relativeDifference: expect.closeTo(expected, 6), exact: expect.closeTo(expected, 6) },
    ]);
    expect(expected).toBeGreaterThan(0);
    const manifest = JSON.parse(await readFile(join(out, 'quern.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ outputs, perplexity: null, calibration: { id: 'magika', sampleCount: 10 } });
    expect(manifest.load).toMatchObject({ onnxruntime: expect.stringContaining('onnx/model_q4.onnx') });
  });

  it('GPT-2 with fused operators: block by block on feeds from JSON', async () => {
    const feeds = join(folder, 'gpt2');
    await mkdir(feeds);
    const next = sequence(2);
    for (const length of [5, 9, 12]) {
      const ids = Array.from({ length }, () => Math.floor(next() * 1000));
      const past = Object.fromEntries(
        [0, 1, 2, 3, 4].map(block => [`past_${block}`, { dims: [2, 1, 4, 0, 8], data: [] }]),
      );
      const sample = {
        input_ids: [ids],
        position_ids: [ids.map((_, index) => index)],
        attention_mask: [ids.map(() => 1)],
      };
      await writeFile(join(feeds, `${length}.json`), JSON.stringify({ ...sample, ...past }));
    }
    const flags = ['--feeds', feeds, '--method', 'gptq', '--bits', '8', '--out', join(folder, 'gpt2-q8'), '--json'];
    const { sites, outputs } = parse(await runQuern('compress', graph('tiny-random-gpt2-fp32'), ...flags));
    expect(sites).toHaveLength(15);
    for (const site of sites) expect(site.relativeOutputError).toBeLessThan(0.02);
    const differences = Object.fromEntries(outputs!.map(output => [output.name, output.exact]));
    // The first block's cache comes before every compressed site.
    expect(differences.present_0).toBe(0);
    expect(differences.logits).toBeGreaterThan(0);
    expect(differences.logits).toBeLessThan(0.02);
  });

  it('silero: sub-graphs come through, a model without linear layers is written as it is', async () => {
    const feeds = join(folder, 'silero');
    const next = sequence(3);
    for (const sample of ['0', '1']) {
      await mkdir(join(feeds, sample), { recursive: true });
      const put = (name: string, bytes: Uint8Array) => writeFile(join(feeds, sample, `${name}.npy`), bytes);
      await put(
        'input',
        npyBytes(
          '<f4',
          [1, 576],
          Float32Array.from({ length: 576 }, () => next() - 0.5),
        ),
      );
      await put('state', npyBytes('<f4', [2, 1, 128], new Float32Array(256)));
      await put('sr', npyBytes('<i8', [], BigInt64Array.of(16000n)));
    }
    const run = await runQuern(
      'compress',
      graph('silero_vad'),
      '--feeds',
      feeds,
      '--out',
      join(folder, 'vad'),
      '--json',
    );
    expect(run.stderr).toMatch(/no linear layer.*Conv.*LSTM/);
    const { sites, outputs } = parse(run);
    expect(sites).toEqual([]);
    expect(outputs).toEqual([
      { name: 'output', relativeDifference: 0, exact: 0 },
      { name: 'stateN', relativeDifference: 0, exact: 0 },
    ]);
  });

  it('ultraface: keeps every node, name and version when it is only copied', async () => {
    const out = join(folder, 'face');
    const source = graph('ultraface_rfb_320');
    parse(await runQuern('compress', source, '--method', 'none', '--evaluate', 'none', '--out', out, '--json'));
    const [before, after] = await Promise.all(
      [source, join(out, 'onnx', 'model.onnx')].map(path => readOnnxModel(path)),
    );
    for (const key of ['irVersion', 'opsetImport', 'producerName', 'metadataProps', 'docString'] as const) {
      expect(after!.proto[key]).toEqual(before!.proto[key]);
    }
    for (const key of ['name', 'node', 'input', 'output', 'valueInfo'] as const) {
      expect(after!.proto.graph![key]).toEqual(before!.proto.graph![key]);
    }
    const shapes = (model: typeof before) => model!.proto.graph!.initializer.map(({ name, dims }) => [name, dims]);
    expect(shapes(after)).toEqual(shapes(before));
  });

  it('inspects what has blocks, what has none, and what stands in sub-graphs', async () => {
    interface Inspected {
      chainedBlocks: number;
      parameterCount: number;
      sites: unknown[];
      operators: { name: string; count: number }[];
    }
    const inspect = async (name: string) => parse<Inspected>(await runQuern('inspect', graph(name), '--json'));
    expect(await inspect('stories260K-llama')).toMatchObject({ chainedBlocks: 5, sites: { length: 36 } });
    const silero = await inspect('silero_vad');
    expect(silero).toMatchObject({ chainedBlocks: 0, sites: [] });
    expect(silero.operators).toContainEqual({ name: 'LSTM', count: 4 });
    expect(silero.parameterCount).toBeGreaterThan(500_000);
  });
});

it('compresses an exported fp16 graph to the bytes that its checkpoint gives', async () => {
  const [exported, again, direct] = ['f16', 'f16-q4', 'direct'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const flags = ['--evaluate', 'none', '--json'];
  parse(await runQuern('compress', demo, '--method', 'none', '--dtype', 'fp16', '--out', exported, ...flags));
  const file = join(exported, 'onnx', 'model_fp16.onnx');
  parse(await runQuern('compress', file, '--method', 'rtn', '--out', again, ...flags));
  parse(await runQuern('compress', demo, '--method', 'rtn', '--dtype', 'fp16', '--out', direct, ...flags));
  const name = join('onnx', 'model_q4f16.onnx_data');
  expect(await sha256(join(again, name))).toBe(await sha256(join(direct, name)));
  const refused = await runQuern('compress', join(again, 'onnx', 'model_q4f16.onnx'), '--out', join(folder, 'twice'));
  expect([refused.code, await readdir(folder)]).toEqual([2, expect.not.arrayContaining(['twice'])]);
  expect(refused.stderr).toMatch(/quantised already.*MatMulNBits|GatherBlockQuantized.*\[ALREADY_QUANTIZED\]/);
});
