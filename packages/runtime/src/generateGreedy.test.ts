import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { DataType, readOnnxModel } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { generateGreedy } from './generateGreedy.ts';
import { openSession } from './openSession.ts';
import { runSession } from './runSession.ts';
import { DATA_FOLDER, hasData } from './testSupport/dataFolder.ts';
import { sumDecoder, VOCABULARY } from './testSupport/sumDecoder.ts';
import { textFeeds } from './textFeeds.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

/** What `sumDecoder` must continue with. */
function naiveContinuation(prompt: readonly number[], count: number): number[] {
  const text = [...prompt];
  for (let step = 0; step < count; step++) {
    const sum = text.reduce((total, id) => total + id, 0);
    text.push((sum + text.length + text.length - 1) % VOCABULARY);
  }
  return text.slice(prompt.length);
}

describe('generateGreedy', () => {
  it.each([
    ['with a float32 cache', true, DataType.FLOAT],
    ['with a float16 cache', true, DataType.FLOAT16],
    ['without a cache', false, DataType.FLOAT],
  ])('continues a prompt %s', async (_, cache, dataType) => {
    const session = await openSession(sumDecoder({ cache, dataType }), cpu);
    const streamed: number[] = [];
    const onToken = (id: number) => streamed.push(id);
    const ids = await generateGreedy(session, Int32Array.of(3, 1, 4), { maxNewTokens: 9, stopIds: [], onToken });
    expect([...ids]).toEqual(naiveContinuation([3, 1, 4], 9));
    expect(streamed).toEqual([...ids]);
    await session.release();
  });

  it('ends with a stop token, and with the signal', async () => {
    const session = await openSession(sumDecoder({ cache: true, dataType: DataType.FLOAT }), cpu);
    const expected = naiveContinuation([2], 8);
    const stop = expected[4]!;
    const ids = await generateGreedy(session, Int32Array.of(2), { maxNewTokens: 8, stopIds: [stop] });
    expect([...ids]).toEqual(expected.slice(0, expected.indexOf(stop) + 1));
    const controller = new AbortController();
    const options = { maxNewTokens: 8, stopIds: [], signal: controller.signal, onToken: () => controller.abort() };
    await expect(generateGreedy(session, Int32Array.of(2), options)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await session.release();
  });

  it('refuses an empty prompt', async () => {
    const session = await openSession(sumDecoder({ cache: false, dataType: DataType.FLOAT }), cpu);
    const nothing = generateGreedy(session, new Int32Array(0), { maxNewTokens: 1, stopIds: [] });
    await expect(nothing).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await session.release();
  });
});

describe.skipIf(!hasData)('generateGreedy on trained models', () => {
  it('tells the story that llama2.c tells', async () => {
    const folder = join(DATA_FOLDER, 'models/stories260K-llama');
    const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
    const session = await openSession(await readOnnxModel(join(DATA_FOLDER, 'onnx/stories260K-llama.onnx')), cpu);
    const ids = await generateGreedy(session, Int32Array.of(1), { maxNewTokens: 60, stopIds: [] });
    expect(tokenizer.decode([...ids])).toMatch(
      /^Once upon a time, there was a little girl named Lily\. She loved to play outside in the park\. One day, she saw a big, red ball\./,
    );
    await session.release();
  });

  it('gives a graph with past_0, past_1, ... the same logits step by step and at once', async () => {
    const session = await openSession(await readOnnxModel(join(DATA_FOLDER, 'onnx/tiny-random-gpt2-fp32.onnx')), cpu);
    const text = [5, 700, 9, 44];
    const whole = await runSession(session, textFeeds(session, { ids: [Int32Array.from(text)] }), 'the model');
    const start = await runSession(
      session,
      textFeeds(session, { ids: [Int32Array.from(text.slice(0, 3))] }),
      'the model',
    );
    const values = Object.fromEntries([0, 1, 2, 3, 4].map(layer => [`past_${layer}`, start[`present_${layer}`]!]));
    const batch = { ids: [Int32Array.of(text[3]!)], past: { length: 3, values } };
    const step = await runSession(session, textFeeds(session, batch), 'the model');
    const last = (whole.logits!.data as Float32Array).subarray(-1000);
    const stepped = step.logits!.data as Float32Array;
    expect(stepped.length).toBe(1000);
    expect(Math.max(...stepped.map((value, id) => Math.abs(value - last[id]!)))).toBeLessThan(1e-5);
    await session.release();
  });
});
