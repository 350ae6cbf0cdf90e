import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
let recipe = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-size-test-'));
  recipe = join(folder, 'recipe.yaml');
  // One of six blocks, a few windows: quick.
  const lines = ['exclude: ["model.layers.{1,2,3,4,5}.*"]', 'calibration: { windows: 8, windowLength: 64 }'];
  await writeFile(recipe, lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('--target-size', () => {
  it('names the least size, and is met by the files', async () => {
    const refused = await runQuern('plan', demo, '--recipe', recipe, '--target-size', '1MB');
    expect(refused.code).toBe(2);
    const [, least] = refused.stderr.match(/The least is (\d+) bytes/)!;
    const target = Number(least) + 120_000;
    const flags = ['--recipe', recipe, '--target-size', `${target / 1000} kB`, '--json'];
    const planned = JSON.parse((await runQuern('plan', demo, ...flags)).stdout);
    // 120 000 bytes are 1.22 bits for each of the 786 432 weights of a block.
    expect(planned.bitsPerWeight).toBeCloseTo(2.22, 1);
    expect(planned.storage).toBe('packed');
    const out = join(folder, 'met');
    const run = await runQuern('compress', demo, '--out', out, '--evaluate', 'none', ...flags);
    const { storage } = JSON.parse(run.stdout);
    expect(await readdir(join(out, 'onnx'))).toEqual(expect.arrayContaining([expect.stringMatching(/\.quern$/)]));
    expect(storage.compressedBytes).toBeLessThanOrEqual(target);
    expect(storage.compressedBytes).toBeGreaterThan(0.99 * target);
    expect(storage.bitsPerWeight).toBeCloseTo(planned.bitsPerWeight, 1);
    expect(run.stderr).not.toContain('warning');
  });

  it.each([
    [['--target-size', 'big'], 'targetSize (big): must be a size'],
    [['--target-size', '2MB', '--method', 'gptq'], '--target-size 2MB: gptq has fixed widths'],
    [['--target-size', '2MB', '--storage', 'container'], 'targetSize (2MB): counts packed files'],
    [['--bits-per-weight', '2', '--method', 'rtn:4'], '--bits-per-weight 2: rtn has fixed widths'],
    [
      ['--bits-per-weight', '2', '--method', 'watersic:3'],
      '--bits-per-weight 2: bits are given by --method watersic:3',
    ],
    [['--bits-per-weight', '2', '--bits', '3'], "cannot be used with option '--bits <b>'"],
    [['--bits-per-weight', '9'], 'bits (9): must be at least 1 and at most 8'],
  ])('%j is refused', async (flags, message) => {
    const { code, stderr } = await runQuern('plan', demo, ...flags);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe('--bits-per-weight', () => {
  it('plans watersic in packed files, and in containers with a warning where a client loads no other', async () => {
    const flags = ['--bits-per-weight', '2.5', '--json'];
    const packed = JSON.parse((await runQuern('plan', demo, ...flags)).stdout);
    expect(packed).toMatchObject({ storage: 'packed', bitsPerWeight: 2.5 });
    expect(packed.sites[0].solver).toBe('watersic');
    const { stdout, stderr } = await runQuern('plan', demo, '--layout', 'genai', ...flags);
    expect(JSON.parse(stdout).storage).toBe('container');
    expect(stderr).toContain('warning: onnxruntime-genai loads no packed files');
  });
});
