import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import { generateText } from '../generateText.ts';
import { checkMemory } from './checkMemory.ts';
import { type OpenedModel, openModel } from './openModel.ts';
import { writeOwnText } from './writeOwnText.ts';

vi.mock('@quern/runtime', async original => ({
  ...(await original<object>()),
  freeMemory: async () => ({ memoryBytes: 20e6, swapBytes: 0 }),
}));

const demo = join(import.meta.dirname, '../../../../models/demo');
const writing = {
  device: 'cpu',
  texts: 1,
  tokens: 100,
  promptTokens: 10,
  what: 'generate',
  nextStep: 'rest',
} as const;

const warnings: string[] = [];

/** A machine with so many bytes free. */
function free(memoryBytes: number, swapBytes = 0): Parameters<typeof checkMemory>[2] {
  warnings.length = 0;
  const emit = (event: PipelineEvent): void => void (event.kind === 'warning' && warnings.push(event.message));
  return { emit, readFree: async () => ({ memoryBytes, swapBytes }) };
}

let opened: OpenedModel;
beforeEach(async () => {
  opened = await openModel(demo, {});
});

/** The fewest free bytes with which a model is opened. */
async function neededFor(request: Partial<Parameters<typeof checkMemory>[1]>): Promise<number> {
  const failure = checkMemory(opened, { ...writing, ...request }, free(0));
  const error = await failure.catch((thrown: { context: { needed: number } }) => thrown);
  return error!.context.needed;
}

it('counts weights, the cache of every text twice, and the logits of what is read together', async () => {
  const needed = await neededFor({});
  // 5.77 million weights in float16, and their copies.
  expect(needed).toBeGreaterThan(100e6 + 4 * 5.77e6);
  expect(needed).toBeLessThan(100e6 + 8 * 5.77e6);
  // Six blocks of keys and values, 4 heads of 32, in float32; 4096 logits a token.
  const { hidden_size, num_attention_heads, num_key_value_heads, num_hidden_layers } = await configOf(demo);
  const cached = (2 * num_hidden_layers * num_key_value_heads * hidden_size) / num_attention_heads;
  expect((await neededFor({ tokens: 300 })) - needed).toBe(4 * 2 * 200 * cached);
  expect((await neededFor({ promptTokens: 15 })) - needed).toBe(4 * 5 * 4096);
  expect((await neededFor({ texts: 16 })) - needed).toBe(15 * 4 * (2 * 100 * cached + 10 * 4096));
});

it('opens what fits, and what lies in the memory of another device', async () => {
  const needed = await neededFor({});
  await checkMemory(opened, writing, free(needed));
  await expect(checkMemory(opened, writing, free(needed - 1))).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  await checkMemory(opened, { ...writing, device: 'webgpu' }, free(0));
});

it('warns of what would lie in swap, and refuses what would not fit there either', async () => {
  const needed = await neededFor({});
  await checkMemory(opened, writing, free(needed, 8e6));
  expect(warnings).toEqual([]);
  await checkMemory(opened, writing, free(needed - 8e6, 8e6));
  expect(warnings).toEqual([
    expect.stringMatching(
      /and 1\d\d MB are free: 8\.00 MB go to swap \(8\.00 MB free\), which is slow\. To avoid it, rest\.$/,
    ),
  ]);
  await expect(checkMemory(opened, writing, free(needed - 8e6, 8e6 - 1))).rejects.toThrow(
    /are free, with 8\.00 MB of swap beside them: rest\.$/,
  );
  expect(warnings).toEqual([]);
});

it('refuses to write before anything is opened, with what is needed, what is free and what to do', async () => {
  const request = { model: demo, prompt: 'Once', maxNewTokens: 5, stop: [], temperature: 0, seed: 0 };
  const written = generateText({ ...request, device: 'cpu' }, () => undefined, { emit: () => undefined });
  await expect(written).rejects.toThrow(
    /generate opens the whole model: .*demo takes about 1\d\d MB of memory \(.*\), and 20\.0 MB are free: compress it first, .* --out <folder>\), or take a machine/,
  );
  const own = { windows: 1, windowLength: 8, temperature: 1, seed: 123456 };
  await expect(writeOwnText(opened, own, { device: 'cpu', emit: () => undefined })).rejects.toThrow(
    /--calibration self opens the whole model.* free: calibrate on a text that is there, such as --calibration general\.$/,
  );
});

async function configOf(folder: string): Promise<Record<string, number> & { hidden_size: number }> {
  return (await import(join(folder, 'config.json'), { with: { type: 'json' } })).default;
}
