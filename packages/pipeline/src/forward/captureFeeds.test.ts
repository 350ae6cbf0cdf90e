import { createModel, DataType, findLinearSites, floatInitializer, node, tensorInput } from '@quern/onnx';
import type { NamedTensors } from '@quern/runtime';
import { expect, it } from 'vitest';
import { captureBlock } from './blockForward.ts';
import { calibrationInputs } from './calibrationInputs.ts';
import { createHiddenStates } from './hiddenStates.ts';

/** A site that reads the graph's input, and one that reads what the first gives, doubled. */
const model = createModel({
  folder: '.',
  inputs: [tensorInput('x', DataType.FLOAT, ['batch', 'rows', 2])],
  outputs: [tensorInput('y', DataType.FLOAT, ['batch', 'rows', 1])],
  initializers: [
    floatInitializer('first.weight', [1, 0, 2, 0, 1, -1], [2, 3]),
    floatInitializer('second.weight', [1, 1, 1], [3, 1]),
    floatInitializer('two', [2], []),
  ],
  nodes: [
    node('MatMul', ['x', 'first.weight'], ['h']),
    node('Mul', ['h', 'two'], ['d']),
    node('MatMul', ['d', 'second.weight'], ['y']),
  ],
});

/** Eleven samples, of one to three rows and one or two in a batch: more than one sum of eight. */
const samples: NamedTensors[] = Array.from({ length: 11 }, (_, sample) => {
  const dims = [1 + (sample % 2), 1 + (sample % 3), 2];
  const length = dims.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, (_, index) => ((sample * 7 + index * 3) % 11) - 5);
  return { x: { type: 'float32', dims, data } };
});

it('sums the Grams of samples of different shapes', async () => {
  const feeds = { id: '', sha256: '', count: samples.length, read: async (sample: number) => samples[sample]! };
  const done: number[] = [];
  const statistics = await captureBlock(
    {
      model,
      localize: async submodel => submodel,
      inputs: calibrationInputs({ kind: 'feeds', feeds }, 'cpu'),
      hidden: createHiddenStates('unused', 0),
      device: 'cpu',
      signal: undefined,
    },
    null,
    findLinearSites(model),
    run => done.push(run),
  );
  expect(done).toEqual(samples.map((_, index) => index + 1));

  const rows = samples.flatMap(({ x }) => {
    const values = [...(x!.data as Float32Array)];
    return Array.from({ length: values.length / 2 }, (_, row) => [values[2 * row]!, values[2 * row + 1]!] as const);
  });
  const doubled = rows.map(([a, b]) => [2 * a, 2 * b, 2 * (2 * a - b)]);
  for (const [name, activations] of [
    ['x', rows],
    ['d', doubled],
  ] as const) {
    const { inputGram, tokenCount } = statistics.get(name)!;
    expect(tokenCount).toBe(rows.length);
    const width = activations[0]!.length;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        const expected = activations.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
        expect(inputGram.data[i * width + j]).toBe(expected); // small whole numbers: exact in float32
      }
    }
  }
});
