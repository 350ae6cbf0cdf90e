import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InputStatistics, TokenWindow } from '@quern/core';
import { captureStatistics } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashWindows } from '../open/textContent.ts';
import { openStatistics } from './openStatistics.ts';
import { writeStatistics } from './writeStatistics.ts';

const WIDTH = 17;
const CHUNKS = 12;
const sum = (letter: string) => letter.repeat(64);
const origin = { graph: sum('a'), sources: [sum('b')] };
const site = { inputName: 'x', inFeatures: WIDTH };
const windows: readonly TokenWindow[] = Array.from({ length: CHUNKS }, (_, at) => ({
  ids: Int32Array.from({ length: 5 }, (_, token) => 7 * at + token),
  firstScored: 1,
}));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-statistics-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The statistics of some chunks of one long run of activations. */
async function statisticsOf(from: number, to: number): Promise<InputStatistics> {
  const capture = captureStatistics(new Map([['x', WIDTH]]));
  for (let chunk = from; chunk < to; chunk++) {
    const value = (_: unknown, at: number) => Math.sin(1 + chunk * 131 + at * 0.7) * (1 + (at % 5));
    await capture.add({
      x: { type: 'float32', dims: [9, WIDTH], data: Float32Array.from({ length: 9 * WIDTH }, value) },
    });
  }
  return capture.finish().get('x')!;
}

async function write(name: string, from: number, to: number, inputs = ['x']): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  const own = windows.slice(from, to);
  const calibration = { id: name, sha256: sum('c'), sources: [], tokens: hashWindows(own), windowLength: 5 };
  const manifest = {
    format: 'quern statistics 1' as const,
    key: sum('d'),
    versions: {},
    device: 'cpu',
    model: { graph: origin.graph, files: [{ file: 'w', sha256: origin.sources[0]! }] },
    calibration: { ...calibration, count: own.length, seed: 0 },
  };
  const captured = await statisticsOf(from, to);
  const read = async () => captured;
  await writeStatistics(
    path,
    manifest,
    inputs.map(name => ({ name, read })),
    own,
  );
  return path;
}

it('gives captures back as they were written, with their windows', async () => {
  const stored = await openStatistics([await write('whole', 0, CHUNKS)], origin);
  expect(await stored.read(site)).toEqual(await statisticsOf(0, CHUNKS));
  expect(stored.windows).toEqual(windows);
  expect(await stored.read({ inputName: 'y', inFeatures: WIDTH })).toBeNull();
});

it('adds captures of parts to what one capture of all gives, to 1e-12', async () => {
  const parts = [await write('first', 0, 5), await write('second', 5, 6), await write('third', 6, CHUNKS)];
  const stored = await openStatistics(parts, origin);
  const merged = (await stored.read(site))!;
  const { inputGram, meanAbsolute, tokenCount } = await statisticsOf(0, CHUNKS);
  expect(merged.tokenCount).toBe(tokenCount);
  expect(stored.windows).toEqual(windows);
  const largest = Math.max(...inputGram.data.map(Math.abs));
  for (const [at, value] of inputGram.data.entries()) {
    expect(Math.abs(merged.inputGram.data[at]! - value)).toBeLessThan(1e-12 * largest);
  }
  for (const [at, value] of meanAbsolute.entries()) {
    expect(Math.abs(merged.meanAbsolute[at]! - value)).toBeLessThan(1e-12 * value);
  }
});

describe('what is refused', () => {
  const refused = async (folders: readonly string[], message: RegExp, from = origin): Promise<void> => {
    const reading = openStatistics(folders, from).then(stored => stored.read(site));
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID_STATISTICS',
      message: expect.stringMatching(message),
    });
  };

  it('is a folder without statistics, another model, another graph, one text twice', async () => {
    const path = await write('one', 0, 3);
    await refused([folder], /holds no statistics\.json/);
    await refused([path], /another model/, { ...origin, sources: [sum('e')] });
    await refused([path], /graph has another sum/, { ...origin, graph: sum('e') });
    await refused([path, await write('same', 0, 3)], /same text as those in .*one/);
    await refused([path, await write('more', 3, 5, ['x', 'y'])], /other inputs than those in .*one/);
  });

  it('is a file of another size or content, before memory is taken for it', async () => {
    const short = await write('short', 0, 3);
    await truncate(join(short, 'input-0.bin'), 40);
    await refused([short], /40 bytes in input-0\.bin, not 2448/);
    const tokens = await write('tokens', 0, 3);
    await writeFile(join(tokens, 'tokens.bin'), new Uint8Array(60));
    await refused([tokens], /other tokens/);
    await rm(join(tokens, 'tokens.bin'));
    await refused([tokens], /no bytes of tokens, not 60/);
    const damaged = await write('damaged', 0, 3);
    const bytes = await readFile(join(damaged, 'input-0.bin'));
    bytes[9]! ^= 1;
    await writeFile(join(damaged, 'input-0.bin'), bytes);
    await refused([damaged], /damaged file, input-0\.bin/);
    const huge = await write('huge', 0, 3);
    const text = await readFile(join(huge, 'statistics.json'), 'utf8');
    await writeFile(join(huge, 'statistics.json'), text.replace('"inFeatures": 17', '"inFeatures": 1000000000'));
    await refused([huge], /gives? x 1000000000 inputs; the model has 17/);
    await writeFile(join(huge, 'statistics.json'), text.replace('input-0.bin', '../input-0.bin'));
    await refused([huge], /must be a file such as input-0\.bin/);
    await writeFile(join(huge, 'statistics.json'), '{');
    await refused([huge], /not JSON/);
  });
});
