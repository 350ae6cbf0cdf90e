import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
let checkpoint = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-bad-'));
  checkpoint = join(folder, 'demo');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A fresh copy of the demo checkpoint to break. */
async function breakDemo(damage: (path: string) => Promise<void>): Promise<string> {
  await rm(checkpoint, { recursive: true, force: true });
  await cp(demo, checkpoint, { recursive: true });
  await damage(checkpoint);
  return checkpoint;
}

async function overwriteWeights(path: string, change: (bytes: Buffer) => void): Promise<void> {
  const file = join(path, 'model.safetensors');
  const bytes = await readFile(file);
  change(bytes);
  await writeFile(file, bytes);
}

/** Each run must name its error, exit with 2, print no stack trace and leave nothing behind. */
async function expectRefusal(code: string, message: RegExp, ...args: readonly string[]): Promise<void> {
  const out = join(folder, 'out', 'deep');
  const run = await runQuern('compress', '--device', 'cpu', ...args, '--out', out);
  expect(run.stderr).toContain(`[${code}]`);
  expect(run.stderr).toMatch(message);
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect(run.stdout).toBe('');
  expect(run.code).toBe(2);
  expect(await readdir(folder)).not.toContain('out');
}

describe('a model that cannot be used', () => {
  it('is missing', () => expectRefusal('MODEL_NOT_FOUND', /no such file or folder/, join(folder, 'nowhere')));

  it('is an empty folder', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty, { recursive: true });
    await expectRefusal('MODEL_NOT_FOUND', /the folder is empty/, empty);
  });

  it('is not a model file', async () => {
    const text = join(folder, 'notes.txt');
    await writeFile(text, 'hello');
    await expectRefusal('MODEL_NOT_FOUND', /not a model/, text);
  });

  it('is garbage with the name of a graph', async () => {
    const garbage = join(folder, 'garbage.onnx');
    await writeFile(garbage, Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 251)));
    await expectRefusal('INVALID_ONNX', /garbage\.onnx/, garbage);
  });

  it('has a config that is not JSON', async () => {
    const path = await breakDemo(async path => writeFile(join(path, 'config.json'), '{ "model_type": '));
    await expectRefusal('INVALID_CONFIG', /config\.json/, path);
  });

  it('has an architecture Quern does not know', async () => {
    const path = await breakDemo(async path => {
      const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8')) as Record<string, unknown>;
      await writeFile(
        join(path, 'config.json'),
        JSON.stringify({ ...config, model_type: 'mamba', architectures: ['MambaForCausalLM'] }),
      );
    });
    await expectRefusal('UNSUPPORTED_MODEL', /[mM]amba/, path);
  });

  it('has truncated weights', async () => {
    const path = await breakDemo(path => truncate(join(path, 'model.safetensors'), 1_000_000));
    await expectRefusal('INVALID_SAFETENSORS', /model\.safetensors/, path);
  });

  it('has weights that are not numbers', async () => {
    const path = await breakDemo(path =>
      overwriteWeights(path, bytes => bytes.writeUInt16LE(0x7e00, bytes.length - 2)),
    );
    await expectRefusal('NON_FINITE_WEIGHT', /NaN/, path);
  });

  it('has no tokenizer', async () => {
    const path = await breakDemo(path => rm(join(path, 'tokenizer.json')));
    await expectRefusal('TOKENIZER_NOT_FOUND', /tokenizer\.json/, path);
  });
});

describe('settings that cannot be used', () => {
  it('bits 9', () => expectRefusal('INVALID_OPTION', /bits \(9\)/, demo, '--bits', '9'));
  it('group size 33', () => expectRefusal('INVALID_OPTION', /groupSize \(33\).*16, 32/, demo, '--group-size', '33'));
  it('an unknown method', () => expectRefusal('INVALID_OPTION', /"magic".*rtn/, demo, '--method', 'magic'));
  it('an unknown text', () => expectRefusal('INVALID_DATA_SET', /nothing-here/, demo, '--evaluate', 'nothing-here'));
  it('a window above the context', () => expectRefusal('WINDOW_TOO_LONG', /512.*256/, demo, '--window-length', '512'));
  it('a pattern that matches nothing', () =>
    expectRefusal('INVALID_OPTION', /matches none/, demo, '--exclude', 'no.such.*'));

  it('a calibration text shorter than a window', async () => {
    const text = join(folder, 'short.txt');
    await writeFile(text, 'Once upon a time.');
    await expectRefusal('TEXT_TOO_SHORT', /window/, demo, '--calibration', text);
  });

  it('a recipe with an unknown key', async () => {
    const recipe = join(folder, 'recipe.yaml');
    await writeFile(recipe, 'method: rtn\nbitz: 4\n');
    await expectRefusal('INVALID_OPTION', /bitz/, demo, '--recipe', recipe);
  });

  it('an unknown flag', async () => {
    const run = await runQuern('compress', demo, '--out', join(folder, 'out'), '--bitz', '4');
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain("unknown option '--bitz'");
  });

  it('no output folder', async () => {
    const run = await runQuern('compress', demo);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('--out');
  });

  it('a device that is not there', async () => {
    await expectRefusal('DEVICE_UNAVAILABLE', /cuda/, demo, '--device', 'cuda');
  });
});

it('refuses an output folder that is not empty, and leaves what is there', async () => {
  const out = join(folder, 'full');
  await mkdir(out);
  await writeFile(join(out, 'letter.txt'), 'keep me');
  const run = await runQuern('compress', demo, '--out', out, '--evaluate', 'none');
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('[OUTPUT_EXISTS]');
  expect(await readdir(out)).toEqual(['letter.txt']);
});

it('prints errors as one JSON object with --json', async () => {
  const run = await runQuern('compress', join(folder, 'nowhere'), '--out', join(folder, 'out'), '--json');
  expect(run.code).toBe(2);
  expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'MODEL_NOT_FOUND' } });
});
