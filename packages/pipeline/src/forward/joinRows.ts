import type { NamedTensors, PlainTensor } from '@quern/runtime';

/**
 * The activations of several runs as one: for each name the rows of all of them, in order, `[rows, features]`. A single run
 * is given back as it is.
 */
export function joinRows(runs: readonly NamedTensors[]): NamedTensors {
  const [first] = runs;
  if (!first || runs.length === 1) return first ?? {};
  return Object.fromEntries(Object.keys(first).map(name => [name, join(runs.map(run => run[name]!))]));
}

function join(tensors: readonly PlainTensor[]): PlainTensor {
  const { type, dims, data } = tensors[0]!;
  const features = dims.at(-1) ?? 1;
  const length = tensors.reduce((sum, tensor) => sum + tensor.data.length, 0);
  const joined = new (data.constructor as new (length: number) => PlainTensor['data'])(length);
  let offset = 0;
  for (const tensor of tensors) {
    // One type throughout: a graph's value does not change its type.
    joined.set(tensor.data as never, offset);
    offset += tensor.data.length;
  }
  return { type, dims: [length / features, features], data: joined };
}
