import { containerOf, type Factor, type QuantizedWeight, type SlicedQuantized } from '@quern/core';
import type { NodeProto } from '../generated/onnx_pb.js';
import type { ActivationType, GraphPiece, NodePlace, WeightPlace } from './graphPiece.ts';
import { kernelParameters, matMulNBits } from './matMulNBits.ts';
import { storeDense } from './storeDense.ts';
import { storeQuantized } from './storeQuantized.ts';

/** A matrix in the store, with the nodes that bring it into the form that kernels read; the session folds these at load. */
export interface StoredFactor extends GraphPiece {
  /** The node that multiplies a value by the matrix. It keeps no hold of the matrix. */
  readonly product: (place: NodePlace) => NodeProto;
}

/**
 * Stores one matrix for products with activations of the given type; a sparse one with its zeros.
 *
 * @throws CompressionError as `containerOf`, `storeDense` and `storeQuantized`; INVALID_OPTION for float32 scales in a float16 graph.
 */
export async function storeFactor(
  factor: Factor,
  activationType: ActivationType,
  place: WeightPlace,
): Promise<StoredFactor> {
  const container = containerOf(factor);
  if (container.kind === 'dense') return storeDense(container, activationType, place);
  return storeGrid(container, activationType, place);
}

/** The same for a matrix on a grid. @throws CompressionError as `storeQuantized`; INVALID_OPTION as above. */
export async function storeGrid(
  weight: QuantizedWeight | SlicedQuantized,
  activationType: ActivationType,
  place: WeightPlace,
): Promise<StoredFactor> {
  const stored = await storeQuantized(weight, { ...place, codeShape: 'blocks' });
  const { nodes, initializers, scales, zeroPoints } = kernelParameters(stored, activationType, place);
  const { layout, codes } = stored;
  const { outFeatures, inFeatures } = weight;
  return {
    nodes,
    initializers: [codes, stored.scales, ...(stored.zeroPoints ? [stored.zeroPoints] : []), ...initializers],
    product: target =>
      matMulNBits({ outFeatures, inFeatures }, layout, { ...target, codes: codes.name, scales, zeroPoints }),
  };
}
