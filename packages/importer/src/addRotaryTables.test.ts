import { createModel, DataType, tensorInput } from '@quern/onnx';
import type { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { addRotaryTables } from './addRotaryTables.ts';
import { graphDraft } from './graphDraft.ts';
import { largestDifference } from './testSupport/largestDifference.ts';
import { openModel } from './testSupport/openDecoder.ts';

async function tables(frequencies: Float64Array, contextLength: number, computeType: 1 | 10 = DataType.FLOAT) {
  const draft = graphDraft(computeType);
  const { cosine, sine } = addRotaryTables(draft, frequencies, { contextLength });
  const dims = [contextLength, frequencies.length];
  const outputs = [tensorInput(cosine, computeType, dims), tensorInput(sine, computeType, dims)];
  const { nodes, initializers } = draft;
  const session = await openModel(createModel({ folder: '.', nodes, initializers, inputs: [], outputs }));
  const results = await session.run({});
  const storedBytes = initializers.reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  return { cosine: results[cosine]!, sine: results[sine]!, storedBytes };
}

function expected(of: (angle: number) => number, frequencies: Float64Array, contextLength: number): Float64Array {
  return Float64Array.from({ length: contextLength * frequencies.length }, (_, index) =>
    of(Math.floor(index / frequencies.length) * frequencies[index % frequencies.length]!),
  );
}

// One position, below and above a power of two, a power of two, an odd one.
test.each([1, 2, 3, 7, 255, 256, 257, 1024])('%i positions', async contextLength => {
  const frequencies = Float64Array.of(1, 0.37, 1e-4);
  const { cosine, sine } = await tables(frequencies, contextLength);
  expect(cosine.dims).toEqual([contextLength, 3]);
  expect(largestDifference(cosine.data as Float32Array, expected(Math.cos, frequencies, contextLength))).toBeLessThan(
    2e-7,
  );
  expect(largestDifference(sine.data as Float32Array, expected(Math.sin, frequencies, contextLength))).toBeLessThan(
    2e-7,
  );
});

test('131072 positions stay at float32 rounding, in half a megabyte', async () => {
  const frequencies = Float64Array.from({ length: 64 }, (_, pair) => 500000 ** (-pair / 64));
  const { cosine, sine, storedBytes } = await tables(frequencies, 131072);
  expect(storedBytes).toBeLessThan(500_000);
  for (let position = 131071; position >= 0; position -= 397) {
    const row = (tensor: Tensor) => (tensor.data as Float32Array).subarray(position * 64, (position + 1) * 64);
    const angles = frequencies.map(frequency => position * frequency);
    expect(largestDifference(row(cosine), angles.map(Math.cos))).toBeLessThan(2e-7);
    expect(largestDifference(row(sine), angles.map(Math.sin))).toBeLessThan(2e-7);
  }
});

test('in float16 only the result is rounded', async () => {
  const frequencies = Float64Array.of(1, 0.37);
  const { cosine } = await tables(frequencies, 300, DataType.FLOAT16);
  expect(cosine.type).toBe('float16');
  const rounded = Float16Array.from(expected(Math.cos, frequencies, 300));
  expect(largestDifference(cosine.data as unknown as Float16Array, rounded)).toBeLessThan(2 ** -10);
});
