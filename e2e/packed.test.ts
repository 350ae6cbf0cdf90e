import { cp, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalData, openPacked } from '@quern/loader';
import { readOnnxModel } from '@quern/onnx';
import {
  type CompressResult,
  compress,
  evaluateModel,
  inspectModel,
  parseMethod,
  type RecipeInput,
  resolveRecipe,
  unpackModel,
} from '@quern/pipeline';
import { openSession, textFeeds } from '@quern/runtime';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashResult, listResult } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-packed-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function pack(
  name: string,
  method: string,
  storage: RecipeInput['storage'],
  settings: RecipeInput = {},
): Promise<CompressResult> {
  const recipe = resolveRecipe({
    ...parseMethod(method),
    ...settings,
    storage,
    // One of six blocks, a few windows: quick.
    exclude: ['model.layers.{1,2,3,4,5}.*', ...(settings.exclude ?? [])],
    calibration: { windows: 8, windowLength: 64 },
  });
  const request = { model: demo, out: join(folder, name), recipe, evaluate: null, perDocument: false } as const;
  return compress({ ...request, device: 'cpu', force: false, resume: false }, () => undefined);
}

/** Everything but the manifest, which says how a folder came to be. */
function withoutManifest({ 'quern.json': _, ...hashes }: Record<string, string>): Record<string, string> {
  return hashes;
}

const methods = [
  { method: 'gptq:4', graph: 'model_q4', planes: 4 },
  { method: 'gptq:3', graph: 'model_q4', planes: 3 },
  { method: 'rtn:8', graph: 'model_quantized', planes: 8 },
];

describe.each(methods)('$method', ({ method, graph, planes }) => {
  let container: CompressResult;
  let packed: CompressResult;
  const name = method.replace(':', '');
  beforeAll(async () => {
    container = await pack(`${name}-container`, method, 'container');
    packed = await pack(`${name}-packed`, method, 'packed');
  });

  it('is packed without loss: unpack gives the bytes of --storage container', async () => {
    const out = join(folder, `${name}-unpacked`);
    await unpackModel({ model: join(folder, `${name}-packed`), out, force: false }, () => undefined);
    expect(withoutManifest(hashResult(out))).toEqual(withoutManifest(hashResult(join(folder, `${name}-container`))));
    const manifest = JSON.parse(await readFile(join(out, 'quern.json'), 'utf8')) as CompressResult;
    expect(manifest.storage).toEqual(container.storage);
    expect(manifest.files).toEqual(container.files.filter(({ path }) => path !== 'quern.json'));
  });

  it('reports what the packed file takes', async () => {
    const files = listResult(join(folder, `${name}-packed`));
    expect(Object.fromEntries(packed.files.map(({ path, bytes }) => [path, bytes]))).toEqual(Object.fromEntries(files));
    expect(packed.storage.compressedBytes).toBe(files.get(`onnx/${graph}.onnx`)! + files.get(`onnx/${graph}.quern`)!);
    expect([...files.keys()].filter(path => path.includes('onnx_data'))).toEqual([]);
    expect(packed.storage.container).toEqual({
      compressedBytes: container.storage.compressedBytes,
      storedBytes: container.storage.storedBytes,
      bitsPerWeight: container.storage.bitsPerWeight,
    });
    // The file holds embedding and head, norms and what was left out besides the solved sites.
    expect(packed.storage.storedBytes).toBeLessThan(files.get(`onnx/${graph}.quern`)!);
    expect(packed.storage.storedBytes).toBe(packed.sites.reduce((sum, site) => sum + site.storageBits, 0) / 8);
    for (const [index, site] of packed.sites.entries()) {
      expect(site.packed!.containerBits).toBe(container.sites[index]!.storageBits);
      expect(site.storageBits).toBeLessThan(site.packed!.planeBits);
    }
    // Planes: the codes at their width, float16 scales of groups of 32; a few bytes a tensor for the index.
    const planeBits = packed.sites.reduce((sum, site) => sum + site.packed!.planeBits, 0);
    const elements = (8 * packed.storage.storedBytes) / packed.storage.bitsPerWeight!;
    expect(planeBits / elements).toBeGreaterThanOrEqual(planes + 0.5);
    expect(planeBits / elements).toBeLessThan(planes + 0.51);
  });
});

describe('a packed folder', () => {
  let packed = '';
  let text = '';
  beforeAll(async () => {
    packed = join(folder, 'gptq3-packed');
    text = join(folder, 'text.txt');
    await writeFile(text, 'Once upon a time, a cat and a dog lived in a small house by the sea. '.repeat(20));
  });

  it('is evaluated and inspected like its container', async () => {
    const evaluations = [];
    for (const kind of ['packed', 'container']) {
      const request = {
        model: join(folder, `gptq3-${kind}`),
        data: text,
        windowLength: 64,
        perDocument: false,
      } as const;
      evaluations.push(await evaluateModel({ ...request, device: 'cpu' }, () => undefined));
    }
    expect(evaluations[0]!.perplexity).toBe(evaluations[1]!.perplexity);
    expect(evaluations[0]!.exact).toBe(evaluations[1]!.exact);
    const inspection = await inspectModel(packed);
    const files = listResult(packed);
    expect(inspection.bytes).toBe(files.get('onnx/model_q4.onnx')! + files.get('onnx/model_q4.quern')!);
  });

  it('is opened by onnxruntime-node with externalData, in one pass with progress', async () => {
    const model = await openPacked(join(packed, 'onnx', 'model_q4.quern'));
    const seen: number[] = [];
    const data = await externalData(model, { onProgress: ({ loaded, total }) => seen.push(loaded / total) });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual(seen.toSorted((left, right) => left - right));
    const logits = await logitsOf(
      await InferenceSession.create(join(packed, 'onnx', 'model_q4.onnx'), { externalData: data }),
    );
    const container = await readOnnxModel(join(folder, 'gptq3-container', 'onnx', 'model_q4.onnx'));
    expect(logits).toEqual(await logitsOf(await openSession(container, { device: 'cpu' })));
  });

  const damages = [
    {
      name: 'whose index was changed',
      damage: async (path: string) => {
        const bytes = await readFile(path);
        bytes[40]! ^= 4;
        await writeFile(path, bytes);
      },
      says: /checksum/,
    },
    {
      name: 'that was cut off',
      damage: async (path: string) => truncate(path, (await stat(path)).size - 1000),
      says: /should have \d+/,
    },
    {
      name: 'with a changed byte in a tensor',
      damage: async (path: string) => {
        const bytes = await readFile(path);
        bytes[bytes.length - 5000]! ^= 4;
        await writeFile(path, bytes);
      },
      says: /damaged/,
    },
  ];
  it.each(damages)('$name is refused, and nothing is left behind', async ({ name, damage, says }) => {
    const copy = join(folder, `damaged ${name}`);
    await cp(packed, copy, { recursive: true });
    await damage(join(copy, 'onnx', 'model_q4.quern'));
    const out = join(copy, 'out');
    const refusal = { code: 'INVALID_EXTERNAL_DATA', message: expect.stringMatching(says) };
    await expect(unpackModel({ model: copy, out, force: false }, () => undefined)).rejects.toMatchObject(refusal);
    await expect(inspectModel(copy)).rejects.toMatchObject(refusal);
    expect(await stat(out).catch(() => null)).toBeNull();
  });

  it('is unpacked by a command, into a folder of its own, and only when it is packed', async () => {
    const done = await runQuern('unpack', packed, '--out', join(folder, 'by-command'), '--json');
    expect([done.code, JSON.parse(done.stdout).output]).toEqual([0, join(folder, 'by-command')]);
    expect(listResult(join(folder, 'by-command')).has('onnx/model_q4.onnx_data')).toBe(true);
    const unpack = (model: string, out: string) => unpackModel({ model, out, force: false }, () => undefined);
    const plain = unpack(join(folder, 'gptq3-container'), join(folder, 'x'));
    await expect(plain).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('no packed file'),
    });
    await expect(unpack(packed, join(folder, 'by-command'))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    await expect(unpack(join(folder, 'nothing'), join(folder, 'x'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('is not offered to a client that cannot load it', async () => {
    const flags = ['--storage', 'packed', '--layout', 'genai'];
    const run = await runQuern('compress', demo, '--out', join(folder, 'genai'), ...flags);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('onnxruntime-genai')]);
  });
});

it('--storage packed-onnx holds 3 bits a code, needs no loader, and gives the same logits', async () => {
  const planes = await pack('gptq3-planes', 'gptq:3', 'packed-onnx');
  expect(planes.storage.bitsPerWeight).toBe(3.5);
  expect(planes.storage.container!.bitsPerWeight).toBe(4.5);
  const files = listResult(join(folder, 'gptq3-planes'));
  expect(planes.storage.compressedBytes).toBe(files.get('onnx/model_q4.onnx')! + files.get('onnx/model_q4.onnx_data')!);
  const [own, container] = await Promise.all(
    ['planes', 'container'].map(async kind =>
      logitsOf(await InferenceSession.create(join(folder, `gptq3-${kind}`, 'onnx', 'model_q4.onnx'))),
    ),
  );
  expect(own).toEqual(container);
});

describe.each([
  { method: 'dictionary:4', ratio: 0.75, graph: 'model_q4', kept: 4 },
  { method: 'compot', ratio: 0.4, graph: 'model', kept: 9.6 },
])('$method', ({ method, ratio, graph, kept }) => {
  it('holds its zeros in containers, bits of a mask in packed files and in packed-onnx, and gives the same logits', async () => {
    const settings: RecipeInput = {
      ratio,
      allocation: 'uniform',
      options: { sweeps: 3, atomsPerNonzero: 2.4 },
      // What writes to the residual stream has atoms in common.
      exclude: ['*mlp.{gate,up}*'],
    };
    const name = method.replace(':', '');
    const container = await pack(`${name}-container`, method, 'container', settings);
    const packed = await pack(`${name}-packed`, method, 'packed', settings);
    const planes = await pack(`${name}-planes`, method, 'packed-onnx', settings);
    expect(container.storage.bitsPerWeight).toBeGreaterThan(kept);
    expect(planes.storage.bitsPerWeight).toBeLessThanOrEqual(kept);
    // On a grid some coefficients round to a level of 0, which a mask leaves out.
    expect(planes.storage.bitsPerWeight).toBeGreaterThan((method === 'compot' ? 0.98 : 0.96) * kept);
    expect(packed.storage.bitsPerWeight).toBeLessThanOrEqual(1.01 * kept);
    for (const form of [packed, planes]) {
      expect(form.storage.container!.storedBytes).toBe(container.storage.storedBytes);
    }
    expect(planes.sites.every(site => site.packed!.encoding === 'sparse')).toBe(true);
    const path = (form: string): string => join(folder, `${name}-${form}`, 'onnx', `${graph}.onnx`);
    const opened = await openPacked(path('packed').replace(/onnx$/, 'quern'));
    const data = { externalData: await externalData(opened) };
    const expected = await logitsOf(await InferenceSession.create(path('container')));
    expect(await logitsOf(await InferenceSession.create(path('planes')))).toEqual(expected);
    expect(await logitsOf(await InferenceSession.create(path('packed'), data))).toEqual(expected);
    await opened.close();
  });
});

async function logitsOf(session: InferenceSession): Promise<Float32Array> {
  const ids = Int32Array.from({ length: 24 }, (_, index) => (index * 97) % 4000);
  const { logits } = await session.run(textFeeds(session, { ids: [ids], padId: 0 }));
  await session.release();
  return logits!.data as Float32Array;
}
