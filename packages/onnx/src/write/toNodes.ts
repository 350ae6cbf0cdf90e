import { type CompressedWeight, CompressionError } from '@quern/core';
import { int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { FreshNames } from './graphEdit.ts';
import { type StoredQuantized, storeQuantized } from './storeQuantized.ts';
import type { WeightStore } from './weightStore.ts';

/** Element type of the activations that a replaced node reads and writes. */
export type ActivationType = 'float32' | 'float16';

/** How the compressed product is computed. */
export interface KernelOptions {
  /** MatMulNBits: 0 computes in float32, 4 rounds activations to 8 bits. */
  readonly accuracyLevel: number;
  readonly activationType: ActivationType;
}

/** Nodes in order, with the tensors that they read. */
export interface GraphPiece {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
}

/** The product that the nodes compute, y = x W^T, and where its tensors go. */
export interface ProductPlace {
  readonly input: string;
  readonly output: string;
  /** Name of the node that is replaced. */
  readonly nodeName: string;
  readonly weightName: string;
  readonly names: FreshNames;
  readonly store: WeightStore;
}

/**
 * Stores a compressed weight and gives the nodes that multiply by it.
 *
 * @throws CompressionError as `storeQuantized`; INVALID_OPTION for float32 scales in a float16 graph.
 */
export async function toNodes(
  compressed: CompressedWeight,
  options: KernelOptions,
  place: ProductPlace,
): Promise<GraphPiece> {
  switch (compressed.kind) {
    case 'quantized': {
      const stored = await storeQuantized(compressed, { ...place, codeShape: 'blocks' });
      const parameters = kernelParameters(stored, options.activationType, place);
      const product = matMulNBits(compressed, stored, {
        ...options,
        ...place,
        ...parameters,
        codes: stored.codes.name,
      });
      const tensors = [stored.codes, stored.scales, ...(stored.zeroPoints ? [stored.zeroPoints] : [])];
      return {
        nodes: [...parameters.nodes, product],
        initializers: [...tensors, ...parameters.initializers],
      };
    }
  }
}

/** Scales and zero points in the shape and type that the kernels read, with the nodes that bring them there. */
export interface KernelParameters extends GraphPiece {
  readonly scales: string;
  /** Empty for the default zero point. */
  readonly zeroPoints: string;
}

/**
 * Casts stored scales to the activations' type and repeats per-channel parameters for every block. The session folds
 * these nodes once at load.
 */
export function kernelParameters(
  stored: StoredQuantized,
  activationType: ActivationType,
  place: Pick<ProductPlace, 'names' | 'weightName'>,
): KernelParameters {
  const { names, weightName } = place;
  const { containerBits, blockCount, storedScales } = stored.layout;
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let scales = stored.scales.name;
  let zeroPoints = stored.zeroPoints?.name ?? '';
  if (stored.scales.dataType === DataType.FLOAT && activationType === 'float16') {
    const message = `Weight "${weightName}" has float32 scales in a float16 graph. Solve it with float16 scales.`;
    throw new CompressionError('INVALID_OPTION', message, { weight: weightName });
  }
  if (stored.scales.dataType === DataType.FLOAT16 && activationType === 'float32') {
    const cast = names.take(`${weightName}_scales_f32`);
    nodes.push(
      node('Cast', [scales], [cast], { name: names.take(`${cast}/Cast`), attributes: { to: { int: DataType.FLOAT } } }),
    );
    scales = cast;
  }
  const expand = (name: string, columns: number): string => {
    const shape = int64Initializer(names.take(`${name}_shape`), [1, columns]);
    const output = names.take(`${name}_blocks`);
    initializers.push(shape);
    nodes.push(node('Expand', [name, shape.name], [output], { name: names.take(`${output}/Expand`) }));
    return output;
  };
  if (storedScales < blockCount) {
    scales = expand(scales, blockCount);
    if (zeroPoints) {
      const bytes = Math.ceil((blockCount * containerBits) / 8);
      if (bytes > 1) zeroPoints = expand(zeroPoints, bytes);
    }
  }
  return { nodes, initializers, scales, zeroPoints };
}

/** The names and settings of one MatMulNBits node. */
export interface MatMulNBitsPlace extends KernelOptions {
  readonly input: string;
  readonly output: string;
  readonly nodeName: string;
  readonly names: FreshNames;
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints: string;
}

/** The node that multiplies by stored codes. */
export function matMulNBits(
  shape: { readonly outFeatures: number; readonly inFeatures: number },
  stored: StoredQuantized,
  place: MatMulNBitsPlace,
): NodeProto {
  const { containerBits, kernelBlock } = stored.layout;
  const parameters = [place.codes, place.scales, ...(place.zeroPoints ? [place.zeroPoints] : [])];
  return node('MatMulNBits', [place.input, ...parameters], [place.output], {
    name: place.names.take(`${place.nodeName}_Q${containerBits}`),
    domain: 'com.microsoft',
    attributes: {
      K: { int: shape.inFeatures },
      N: { int: shape.outFeatures },
      bits: { int: containerBits },
      block_size: { int: kernelBlock },
      accuracy_level: { int: place.accuracyLevel },
    },
  });
}
