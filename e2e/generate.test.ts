import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, hasOutside, outside, runQuern } from './runQuern.ts';
import { startQuern, waitUntil } from './startQuern.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-generate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const prompt = ['--prompt', 'Once upon a time', '--device', 'cpu'];

describe('quern generate', () => {
  it('streams the text that it reports, with the speed on stderr', async () => {
    const plain = await runQuern('generate', demo, ...prompt, '--max-new-tokens', '12');
    const json = await runQuern('generate', demo, ...prompt, '--max-new-tokens', '12', '--json');
    const result = JSON.parse(json.stdout);
    expect(plain.stdout).toBe(`${result.text}\n`);
    expect(plain.stdout).toMatch(/^, there was a little girl named Lily\./);
    expect(result).toMatchObject({ newTokens: 12, stopReason: 'length', prompt: 'Once upon a time' });
    expect(plain.stderr).toMatch(/12 new tokens, [\d.]+ tokens\/s/);
  });

  it('draws the same text with the same seed, another with another', async () => {
    const write = async (seed: string) => {
      const flags = ['--max-new-tokens', '24', '--temperature', '1', '--top-p', '0.95', '--seed', seed];
      return (await runQuern('generate', demo, ...prompt, ...flags)).stdout;
    };
    const [first, again, other] = [await write('1'), await write('1'), await write('2')];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('ends before a stop text', async () => {
    const run = await runQuern('generate', demo, ...prompt, '--stop', ' named', '--stop', 'zebra', '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ text: ', there was a little girl', stopReason: 'stop' });
  });

  it('ends with 130 and a whole line on Ctrl-C', async () => {
    const started = startQuern('generate', demo, ...prompt, '--max-new-tokens', '100000', '--temperature', '1');
    await waitUntil(started, () => started.output().length > 60);
    started.signal('SIGINT');
    const run = await started.ended;
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('[INTERRUPTED]');
    expect(run.stdout.endsWith('\n')).toBe(true);
  });

  it('reads packed folders and folders for genai', async () => {
    const packed = join(folder, 'packed');
    const genai = join(folder, 'genai');
    const common = ['--method', 'rtn', '--bits', '8', '--evaluate', 'none', '--device', 'cpu', '--json'];
    expect((await runQuern('compress', demo, '--out', packed, '--storage', 'packed', ...common)).code).toBe(0);
    expect((await runQuern('compress', demo, '--out', genai, '--layout', 'genai', ...common)).code).toBe(0);
    for (const model of [packed, genai]) {
      const run = await runQuern('generate', model, ...prompt, '--max-new-tokens', '8');
      expect(run.stdout).toMatch(/^, there was a little girl named/);
      expect(run.code).toBe(0);
    }
  });

  it.each([
    ['a flag without effect', ['--top-k', '5'], 'INVALID_OPTION', /--top-k 5 has no effect at temperature 0/],
    ['a prompt longer than the context', ['--prompt', 'on and '.repeat(600)], 'INVALID_OPTION', /context is 256/],
  ])('refuses %s', async (_, flags, code, message) => {
    const run = await runQuern('generate', demo, ...prompt, ...flags);
    expect(run.stderr).toContain(`[${code}]`);
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(2);
  });
});

describe.skipIf(!hasOutside)('quern generate on models of others', () => {
  it('tells the story of llama2.c from an .onnx file with --tokenizer', async () => {
    const graph = join(outside, 'onnx/stories260K-llama.onnx');
    const tokenizer = join(outside, 'models/stories260K-llama');
    const run = await runQuern('generate', graph, '--tokenizer', tokenizer, '--prompt', '', '--max-new-tokens', '48');
    expect(run.stdout).toMatch(
      /^Once upon a time, there was a little girl named Lily\. She loved to play outside in the park\./,
    );
    const without = await runQuern('generate', graph, ...prompt);
    expect(without.stderr).toContain('[TOKENIZER_NOT_FOUND]');
    expect(without.code).toBe(2);
  });
});
