import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import { randomMatrix } from '../plainLoops.ts';
import { addThreshold, THRESHOLD_CONSTANTS } from './addThreshold.ts';
import { createGraphWriter } from './createGraphWriter.ts';

async function keep(data: Float32Array, columns: number, count: number): Promise<Float32Array> {
  const writer = createGraphWriter();
  addThreshold(writer, [{ matrix: 'matrix', name: 'kept' }], 'count');
  const graph = encodeGraph({
    ...{ name: 'threshold', precision: 'float32', opset: 18, nodes: writer.nodes },
    inputs: [
      { name: 'matrix', dimensions: ['m', 'k'] },
      { name: 'count', dimensions: [] },
    ],
    outputs: [{ name: 'kept', dimensions: ['m', 'k'] }],
    wholeNumbers: { rowAxis: [1] },
    scalars: THRESHOLD_CONSTANTS,
  });
  const session = await InferenceSession.create(graph, { logSeverityLevel: 3 });
  const matrix = new Tensor('float32', data, [data.length / columns, columns]);
  const outputs = await session.run({ matrix, count: new Tensor('float32', Float32Array.of(count), []) });
  await session.release();
  return outputs.kept!.data as Float32Array;
}

it.each([
  [1, 1, 1],
  [3, 5, 0],
  [3, 5, 15],
  [17, 33, 1],
  [17, 33, 100],
  [40, 31, 1239],
])('leaves the largest of %i x %i, %i of them', async (rows, columns, count) => {
  // Sizes over six orders of magnitude.
  const data = Float32Array.from(randomMatrix(rows, columns, 5).data, value => value ** 3);
  const limit = data.map(Math.abs).toSorted().at(-count) ?? 0;
  const kept = await keep(data, columns, count);
  kept.forEach((value, index) => {
    const isLarge = count > 0 && Math.abs(data[index]!) >= limit;
    // What is 2^-20 of the largest or less may go.
    if (value !== (isLarge ? data[index] : 0)) {
      expect(value).toBe(0);
      expect(Math.abs(data[index]!) - limit).toBeLessThan(1e-6);
    }
  });
});

it('leaves none of more equal ones than may stay', async () => {
  const kept = await keep(Float32Array.of(3, -1, 1, 1, -1, 0.5), 3, 3);
  expect([...kept]).toEqual([3, 0, 0, 0, 0, 0]);
});
