import type { QuantizedWeight } from '@quern/core';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { GraphPiece, KernelOptions, ProductPlace } from './graphPiece.ts';

/** Nodes that multiply the input by the weight's input scale, stored in float16, and the name of what they give. */
export async function scaleInput(
  { inputScale }: QuantizedWeight,
  { activationType }: KernelOptions,
  { input, weightName, nodeName, names, store }: ProductPlace,
): Promise<GraphPiece & { readonly input: string }> {
  if (inputScale === undefined) return { nodes: [], initializers: [], input };
  const halves = new Uint8Array(Float16Array.from(inputScale).buffer);
  const name = names.take(`${weightName}_input_scale`);
  const stored = await store.add(name, DataType.FLOAT16, [inputScale.length], halves);
  const scaled = names.take(`${nodeName}_input`);
  if (activationType === 'float16') {
    const product = node('Mul', [input, name], [scaled], { name: names.take(`${scaled}/Mul`) });
    return { nodes: [product], initializers: [stored], input: scaled };
  }
  const cast = names.take(`${name}_f32`);
  return {
    nodes: [
      node('Cast', [name], [cast], { name: names.take(`${cast}/Cast`), attributes: { to: { int: DataType.FLOAT } } }),
      node('Mul', [input, cast], [scaled], { name: names.take(`${scaled}/Mul`) }),
    ],
    initializers: [stored],
    input: scaled,
  };
}
