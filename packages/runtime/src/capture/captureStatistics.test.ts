import { expect, it } from 'vitest';
import { captureStatistics } from './captureStatistics.ts';
import type { NamedTensors } from './plainTensor.ts';

const chunk = (dims: number[], values: number[]): NamedTensors => ({
  x: { type: 'float32', dims, data: Float32Array.from(values) },
});

it('sums x x^T over tokens and chunks, and averages |x|', async () => {
  const capture = captureStatistics(new Map([['x', 2]]));
  await capture.add(chunk([1, 2, 2], [1, -2, 3, 4]));
  await capture.add(chunk([1, 2], [0, 5]));
  const statistics = capture.finish().get('x')!;
  // 1*1+3*3, 1*-2+3*4; 4+16+25
  expect([...statistics.inputGram.data]).toEqual([10, 10, 10, 45]);
  expect(statistics.tokenCount).toBe(3);
  expect([...statistics.meanAbsolute]).toEqual([4 / 3, 11 / 3]);
});

it('sums the parts of a chunk in single precision, and chunks in double', async () => {
  // 2^24 + 1 is no single: within a chunk the 1 is lost, between chunks it is not.
  const large = chunk([1, 1], [4096]);
  const one = chunk([1, 1], [1]);
  const together = captureStatistics(new Map([['x', 1]]));
  await together.add(large, false);
  await together.add(one);
  await together.add(one);
  const { inputGram, tokenCount } = together.finish().get('x')!;
  expect([inputGram.data[0], tokenCount]).toEqual([2 ** 24 + 1, 3]);
});

it('reads half precision', async () => {
  const capture = captureStatistics(new Map([['x', 1]]));
  const data = new Uint16Array(Float16Array.of(1.5, -2).buffer);
  await capture.add({ x: { type: 'float16', dims: [2, 1], data } });
  expect(capture.finish().get('x')!.inputGram.data[0]).toBe(2.25 + 4);
});

it('names an activation that is not finite, missing, or of another shape', async () => {
  const capture = captureStatistics(new Map([['x', 2]]));
  await expect(capture.add(chunk([2, 2], [1, 2, 3, Number.NaN]))).rejects.toMatchObject({
    code: 'NON_FINITE_ACTIVATION',
    context: { name: 'x', channel: 1 },
  });
  await expect(capture.add(chunk([1, 3], [1, 2, 3]))).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
  await expect(capture.add({})).rejects.toMatchObject({ code: 'MISSING_TENSOR' });
});

it('agrees with a naive sum in double precision at awkward sizes', async () => {
  for (const [tokens, width] of [
    [1, 1],
    [7, 3],
    [33, 17],
    [100, 31],
  ] as const) {
    const values = Array.from({ length: tokens * width }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 5)));
    const capture = captureStatistics(new Map([['x', width]]));
    await capture.add(chunk([tokens, width], values));
    const { data } = capture.finish().get('x')!.inputGram;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let t = 0; t < tokens; t++)
          sum += Math.fround(values[t * width + i]!) * Math.fround(values[t * width + j]!);
        expect(Math.abs(data[i * width + j]! - sum)).toBeLessThan(1e-5 * tokens * 25);
      }
    }
  }
});

it('sums x_original x^T beside x x^T where originals are given', async () => {
  const capture = captureStatistics(new Map([['x', 2]]));
  await capture.add(chunk([2, 2], [1, -2, 3, 4]), false, chunk([2, 2], [2, -1, 3, 5]));
  await capture.add(chunk([1, 2], [0, 5]), true, chunk([1, 2], [7, 1]));
  await capture.add(chunk([1, 2], [1, 1]), true, chunk([1, 2], [10, 0]));
  const { inputGram, crossGram } = capture.finish().get('x')!;
  // Rows are the original's channels: 2*1+3*3+10, 2*-2+3*4+7*5+10; -1*1+5*3, -1*-2+5*4+1*5.
  expect([...crossGram!.data]).toEqual([21, 53, 14, 27]);
  expect([...inputGram.data]).toEqual([11, 11, 11, 46]);
});
