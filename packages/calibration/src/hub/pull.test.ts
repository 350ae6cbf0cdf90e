import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTextSet } from '../loadTextSet.ts';
import { type HubSettings, hubSettings } from './hubSettings.ts';
import { pullDataSet, pulledTexts } from './pullDataSet.ts';
import { pullModel } from './pullModel.ts';
import { type Answer, type Hub, serveHub } from './testSupport/serveHub.ts';

const WIKITEXT = '/datasets/Salesforce/wikitext/resolve/b08601e04326c79dfdd32d625aee71d232d685c3/wikitext-2-raw-v1';
const C4 = '/datasets/allenai/c4/resolve/1588ec454efa1a09f29cd18ddd04fe05fc8653a2/en';
const HUMANEVAL =
  '/datasets/openai/openai_humaneval/resolve/7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544/openai_humaneval/test-00000-of-00001.parquet';

const parquet = (columns: Readonly<Record<string, readonly unknown[]>>): Buffer =>
  Buffer.from(
    parquetWriteBuffer({ columnData: Object.entries(columns).map(([name, data]) => ({ name, data: [...data] })) }),
  );

let folder = '';
let hub: Hub;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-pull-'));
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(answers: Readonly<Record<string, Buffer | Answer>>): Promise<HubSettings> {
  hub = await serveHub(answers);
  return { ...hubSettings({ HF_ENDPOINT: `${hub.origin}/`, QUERN_CACHE: folder }), wait: async () => {} };
}

describe('pullDataSet', () => {
  it('makes of parquet a set that is loaded like any other', async () => {
    const settings = await serve({
      [`${WIKITEXT}/train-00000-of-00001.parquet`]: parquet({ text: ['', ' = Title = \n', 'First words \u00e9.\n'] }),
      [`${WIKITEXT}/test-00000-of-00001.parquet`]: parquet({ text: ['Other words.'] }),
    });
    const { manifest, isNew } = await pullDataSet('wikitext-2-raw', settings);
    expect([isNew, manifest.commit, manifest.files.length]).toEqual([
      true,
      'b08601e04326c79dfdd32d625aee71d232d685c3',
      2,
    ]);
    const set = await loadTextSet('wikitext-2-raw', 'calibration', pulledTexts(settings));
    expect(set.documents).toEqual(['= Title = \n\n\nFirst words \u00e9.']);
    expect((await loadTextSet('wikitext-2-raw', 'evaluation', pulledTexts(settings))).documents).toEqual([
      'Other words.',
    ]);
    expect(await readdir(join(folder, 'partial'))).toEqual([]);
    const count = hub.requests.length;
    expect((await pullDataSet('wikitext-2-raw', { ...settings, isOffline: true })).isNew).toBe(false);
    expect(hub.requests.length).toBe(count);
  });

  it('makes of gzipped JSON lines a set', async () => {
    const lines = (words: readonly string[]) =>
      gzipSync(words.map(text => JSON.stringify({ text, url: 'x' })).join('\n'));
    const settings = await serve({
      [`${C4}/c4-train.00000-of-01024.json.gz`]: lines(['one', ' two ', '  ']),
      [`${C4}/c4-validation.00000-of-00008.json.gz`]: lines(['three']),
    });
    await pullDataSet('c4', settings);
    expect((await loadTextSet('c4', 'calibration', pulledTexts(settings))).documents).toEqual(['one', 'two']);
  });

  it('keeps the rows of problems whole', async () => {
    const columns = {
      task_id: ['HumanEval/0'],
      prompt: ['def f():\n'],
      test: ['def check(f): pass'],
      entry_point: ['f'],
    };
    const settings = await serve({ [HUMANEVAL]: parquet({ ...columns, canonical_solution: ['    pass\n'] }) });
    const { folder: set } = await pullDataSet('humaneval', settings);
    const row: unknown = JSON.parse(await readFile(join(set, 'problems.jsonl'), 'utf8'));
    expect(row).toMatchObject({ task_id: 'HumanEval/0', prompt: 'def f():\n', canonical_solution: '    pass\n' });
  });

  it('leaves no set behind when a file is missing or is none', async () => {
    const settings = await serve({ [`${WIKITEXT}/train-00000-of-00001.parquet`]: Buffer.from('<html>sign in</html>') });
    await expect(pullDataSet('wikitext-2-raw', settings)).rejects.toMatchObject({ code: 'INVALID_DATA_SET' });
    expect(await readdir(folder)).toEqual(['partial']);
    await expect(pullDataSet('c4', settings)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      context: { status: 404 },
    });
  });

  it('refuses names that it does not know', async () => {
    const settings = await serve({});
    await expect(pullDataSet('../c4', settings)).rejects.toThrow(/wikitext-2-raw, c4/);
  });
});

const COMMIT = 'c'.repeat(40);

function modelAt(...files: readonly string[]): Record<string, Buffer | Answer> {
  const siblings = files.map(rfilename => ({ rfilename }));
  return {
    '/api/models/org/tiny/revision/main': (_, response) => {
      response.end(JSON.stringify({ sha: COMMIT, siblings }));
    },
    ...Object.fromEntries(
      files.map(file => [`/org/tiny/resolve/${COMMIT}/${file}`, Buffer.from(`content of ${file}`)]),
    ),
  };
}

describe('pullModel', () => {
  it('downloads what a checkpoint needs, and nothing the second time', async () => {
    const settings = await serve(
      modelAt(
        'config.json',
        'tokenizer.json',
        'model.safetensors',
        'pytorch_model.bin',
        'README.md',
        'evil/x.safetensors',
      ),
    );
    const model = await pullModel('hf:org/tiny', settings);
    expect(model.commit).toBe(COMMIT);
    expect((await readdir(model.folder)).sort()).toEqual([
      '.quern-pull.json',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(await readFile(join(model.folder, 'model.safetensors'), 'utf8')).toBe('content of model.safetensors');
    const count = hub.requests.length;
    expect((await pullModel('hf:org/tiny', { ...settings, isOffline: true })).folder).toBe(model.folder);
    expect(hub.requests.length).toBe(count);
  });

  it('goes on after a file that failed', async () => {
    const answers = modelAt('config.json', 'model.safetensors');
    const path = `/org/tiny/resolve/${COMMIT}/model.safetensors`;
    const whole = answers[path] as Buffer;
    answers[path] = (_, response, count) => response.writeHead(count === 1 ? 403 : 200).end(count === 1 ? '' : whole);
    const settings = await serve(answers);
    await expect(pullModel('hf:org/tiny', settings)).rejects.toThrow(/HF_TOKEN/);
    await pullModel('hf:org/tiny', settings);
    expect(hub.requests.filter(request => request.includes('config.json')).length).toBe(1);
  });

  it('notices a file of another size than it was', async () => {
    const settings = await serve(modelAt('config.json', 'model.safetensors'));
    const { folder: model } = await pullModel('hf:org/tiny', settings);
    await writeFile(join(model, 'config.json'), 'cut');
    await pullModel('hf:org/tiny', settings, { force: true });
    expect(await readFile(join(model, 'config.json'), 'utf8')).toBe('content of config.json');
  });

  it.each(['hf:tiny', 'hf:../../etc', 'hf:a/b/c', 'hf:a/..'])('refuses the name %s', async name => {
    const settings = await serve({});
    await expect(pullModel(name, settings)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('refuses a repository without safetensors', async () => {
    const settings = await serve(modelAt('config.json', 'pytorch_model.bin'));
    await expect(pullModel('hf:org/tiny', settings)).rejects.toThrow(/config.json and safetensors are needed/);
  });
});
