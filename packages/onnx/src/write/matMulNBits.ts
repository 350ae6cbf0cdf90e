import { CompressionError, type ContainerLayout } from '@quern/core';
import { int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { FreshNames } from './graphEdit.ts';
import type { ActivationType, GraphPiece, NodePlace } from './graphPiece.ts';
import type { StoredQuantized } from './storeQuantized.ts';

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
  place: { readonly names: FreshNames; readonly weightName: string },
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
export interface MatMulNBitsPlace extends NodePlace {
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints: string;
}

/** The node that multiplies by stored codes. */
export function matMulNBits(
  shape: { readonly outFeatures: number; readonly inFeatures: number },
  layout: ContainerLayout,
  place: MatMulNBitsPlace,
): NodeProto {
  const { containerBits, kernelBlock } = layout;
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
