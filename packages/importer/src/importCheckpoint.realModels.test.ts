import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { importCheckpoint } from './importCheckpoint.ts';
import { readCheckpointTensors } from './readCheckpointTensors.ts';
import { largestDifference } from './testSupport/largestDifference.ts';
import { naiveDecoder } from './testSupport/naiveDecoder.ts';
import { logitsAt, openDecoder } from './testSupport/openDecoder.ts';
import type { RawConfig } from './testSupport/rawConfig.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const DATA = join(REPOSITORY, '../shared/data');
const DEMO = join(REPOSITORY, 'models/demo');

// The test data is not part of the repository: models by others and exports of them.
describe.skipIf(!existsSync(DATA))('models in ../shared/data', () => {
  test.each(['stories260K-llama', 'tinystories-656k-llama', 'babyllama-105-llama'])(
    "%s: logits agree with another's export",
    async name => {
      const imported = await importCheckpoint(join(DATA, 'models', name), { dtype: 'fp32' });
      const { vocabularySize, contextLength } = imported.config;
      const length = Math.min(400, contextLength);
      const ids = Array.from({ length }, (_, position) => (position * position + 7 * position + 1) % vocabularySize);
      const run = await openDecoder(imported);
      const reference = await InferenceSession.create(join(DATA, 'onnx', `${name}.onnx`));
      const input = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, length]);
      const { logits } = await reference.run({ input_ids: input });

      const actual = await run([ids]);
      expect(actual.logits.dims).toEqual([1, length, vocabularySize]);
      expect(largestDifference(actual.logits.data as Float32Array, logits!.data as Float32Array)).toBeLessThan(1e-4);
    },
  );

  test.each([
    [
      'stories260K-llama',
      'Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball.',
    ],
    [
      'babyllama-105-llama',
      'Once upon a time, there was a little girl named Lily. She loved to play outside in the sunshine. One day, she went to the park with her mommy and daddy.',
    ],
  ])('%s: greedy text with the cache is the published sample', async (name, sample) => {
    const folder = join(DATA, 'models', name);
    const { model } = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'));
    const pieces = new Map(Object.entries(model.vocab as Record<string, number>).map(([piece, id]) => [id, piece]));
    const imported = await importCheckpoint(folder, { dtype: 'fp32' });
    const run = await openDecoder(imported);

    let state = await run([[imported.config.bosTokenId!]]);
    let text = '';
    while (text.length <= sample.length) {
      const logits = logitsAt(state, 0, 0);
      const id = logits.indexOf(Math.max(...logits));
      text += pieces.get(id)!.replaceAll('▁', ' ');
      state = await run([[id]], { after: state });
    }
    expect(text.trimStart().slice(0, sample.length)).toBe(sample);
  });
});

describe.skipIf(!existsSync(DEMO))('the demo model', () => {
  test('stored as F16, its logits agree with a naive forward pass', async () => {
    const raw: RawConfig = JSON.parse(await readFile(join(DEMO, 'config.json'), 'utf8'));
    const run = await openDecoder(await importCheckpoint(DEMO, { dtype: 'fp32' }));
    const ids = [0, 686, 654, 523, 17, 300, 4095, 686];
    const expected = naiveDecoder(raw, await storedHalves(DEMO), ids);
    const actual = await run([ids]);
    for (const token of ids.keys()) {
      expect(largestDifference(logitsAt(actual, 0, token), expected[token]!)).toBeLessThan(1e-4);
    }
  });
});

async function storedHalves(folder: string): Promise<ReadonlyMap<string, Float64Array>> {
  const { tensors } = await readCheckpointTensors(folder);
  const bytes = new Uint8Array(await readFile(join(folder, 'model.safetensors')));
  return new Map(
    [...tensors].map(([name, { dtype, offsetBytes, sizeBytes }]) => {
      expect(dtype).toBe('F16');
      const own = bytes.slice(offsetBytes, offsetBytes + sizeBytes);
      return [name, Float64Array.from(new Float16Array(own.buffer))];
    }),
  );
}
