import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { usePacked } from '@quern/loader';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from './findChromium.ts';
import { demo, root, runQuern } from './runQuern.ts';
import { type FolderServer, serveFolders } from './serveFolders.ts';

const browserOptions = await findChromium();
const transformers = dirname(createRequire(import.meta.url).resolve('@huggingface/transformers'));
const onnxruntime = dirname(createRequire(transformers).resolve('onnxruntime-web'));

const PROMPT = '<|endoftext|>Once upon a time';
const NEW_TOKENS = 24;

let folder = '';
let server: FolderServer;
/** What the folder with its data files unpacked generates. */
let expected: number[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-packed-clients-'));
  server = await serveFolders({
    packages: join(root, 'packages'),
    transformers,
    onnxruntime,
    models: folder,
    hub: folder,
  });
  // onnxruntime-web has no GatherBlockQuantized on the CPU, so embedding and head stay as they are.
  const flags = ['--method', 'rtn', '--bits', '4', '--head-bits', '16', '--evaluate', 'none', '--device', 'cpu'];
  const packed = await runQuern('compress', demo, '--out', join(folder, 'packed'), ...flags, '--storage', 'packed');
  expect(packed.stderr).not.toContain('quern:');
  expect((await runQuern('unpack', join(folder, 'packed'), '--out', join(folder, 'unpacked'))).code).toBe(0);
  expected = await generate(join(folder, 'unpacked'));
  expect(expected).toHaveLength(NEW_TOKENS);
  env.cacheDir = join(folder, 'cache');
  usePacked(env);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Greedy tokens after the prompt, as an unmodified client makes them. */
async function generate(model: string): Promise<number[]> {
  const generator = await pipeline('text-generation', model, { device: 'cpu' });
  const inputs = generator.tokenizer(PROMPT, { add_special_tokens: false });
  const settings = { max_new_tokens: NEW_TOKENS, min_new_tokens: NEW_TOKENS, do_sample: false };
  const output = (await generator.model.generate({ ...inputs, ...settings })) as unknown as { data: BigInt64Array };
  await generator.dispose();
  return Array.from(output.data, Number).slice(inputs.input_ids.dims[1]);
}

describe('transformers.js in Node after usePacked(env)', () => {
  it('loads a packed folder and generates what the unpacked one does', async () => {
    expect(await stat(join(folder, 'packed', 'onnx', 'model_q4.onnx_data')).catch(() => null)).toBeNull();
    expect(await generate(join(folder, 'packed'))).toEqual(expected);
  });

  it('loads a folder that is not packed as before', async () => {
    expect(await generate(join(folder, 'unpacked'))).toEqual(expected);
  });

  it('loads a packed model from a hub, once, and then from where the client keeps files', async () => {
    env.remoteHost = `${server.origin}/hub/`;
    env.allowLocalModels = false;
    expect(await generate('packed')).toEqual(expected);
    expect((await stat(join(folder, 'cache', 'hub', 'packed', 'onnx', 'model_q4.quern'))).size).toBe(
      (await stat(join(folder, 'packed', 'onnx', 'model_q4.quern'))).size,
    );
    const before = server.requests.length;
    expect(await generate('packed')).toEqual(expected);
    expect(server.requests.slice(before).filter(path => /\.(quern|onnx|onnx_data)$/.test(path))).toEqual([]);
  });
});

/** Runs inside the page. */
const IN_PAGE = `async ([prompt, count]) => {
  const { env, pipeline } = await import('/transformers/transformers.js');
  const { usePacked } = await import('@quern/loader');
  env.backends.onnx.wasm.wasmPaths = location.origin + '/onnxruntime/';
  env.backends.onnx.wasm.numThreads = 1;
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  usePacked(env);
  const seen = [];
  const progress_callback = event =>
    event.file?.endsWith('_data') && event.status === 'progress' && seen.push(event.loaded);
  const generate = async (model, options) => {
    const generator = await pipeline('text-generation', model, { device: 'wasm', ...options });
    const inputs = generator.tokenizer(prompt, { add_special_tokens: false });
    const settings = { max_new_tokens: count, min_new_tokens: count, do_sample: false };
    const output = await generator.model.generate({ ...inputs, ...settings });
    return Array.from(output.data, Number).slice(inputs.input_ids.dims[1]);
  };
  const packed = await generate('packed', { progress_callback });
  const unpacked = await generate('unpacked', {});
  const stored = await (await caches.open(env.cacheKey)).keys();
  return { packed, unpacked, seen, stored: stored.map(request => request.url) };
}`;

interface PageResult {
  readonly packed: number[];
  readonly unpacked: number[];
  /** Bytes of the data file so far, at each call. */
  readonly seen: number[];
  readonly stored: string[];
}

describe.skipIf(browserOptions === null)('transformers.js in Chromium (skipped where none is found)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch(browserOptions!);
  });
  afterAll(() => browser?.close());

  it('loads a packed folder from a server after usePacked(env), with progress, and keeps the packed file', async () => {
    const page = await browser.newPage();
    await page.goto(server.origin);
    const imports = {
      '@quern/loader': '/packages/loader/src/index.ts',
      '@quern/coder': '/packages/coder/src/index.ts',
    };
    await page.addScriptTag({ type: 'importmap', content: JSON.stringify({ imports }) });
    const call = `(${IN_PAGE})(${JSON.stringify([PROMPT, NEW_TOKENS])})`;
    const result = await page.evaluate<PageResult>(call);
    expect(result.packed).toEqual(result.unpacked);
    // Kernels of another machine round otherwise: a few tokens on, the texts may part.
    expect(result.packed.slice(0, 8)).toEqual(expected.slice(0, 8));
    const size = (await stat(join(folder, 'unpacked', 'onnx', 'model_q4.onnx_data'))).size;
    expect(result.seen.length).toBeGreaterThan(10);
    expect(result.seen.at(-1)).toBe(size);
    const kept = result.stored.filter(url => /packed\/onnx\/.*\.(quern|onnx_data)$/.test(url));
    expect(kept.sort()).toEqual([
      `${server.origin}/models/packed/onnx/model_q4.quern`,
      `${server.origin}/models/unpacked/onnx/model_q4.onnx_data`,
    ]);
    await page.close();
  });
});
