import type { CompressedWeight } from '@quern/core';
import { correctedNodes } from './correctedNodes.ts';
import type { GraphPiece, KernelOptions, ProductPlace } from './graphPiece.ts';
import { lowRankNodes } from './lowRankNodes.ts';
import { scaleInput } from './scaleInput.ts';
import { storeCodebook } from './storeCodebook.ts';
import { storeFactor } from './storeFactor.ts';

/**
 * Stores a compressed weight and gives the nodes that multiply by it.
 *
 * @throws CompressionError as `storeFactor`, `storeCodebook`, `lowRankNodes` and `correctedNodes`.
 */
export async function toNodes(
  compressed: CompressedWeight,
  options: KernelOptions,
  place: ProductPlace,
): Promise<GraphPiece> {
  switch (compressed.kind) {
    case 'quantized': {
      const scaled = await scaleInput(compressed, options, place);
      const { nodes, initializers, product } = await storeFactor(compressed, options.activationType, place);
      return {
        nodes: [...scaled.nodes, ...nodes, product({ ...place, ...options, input: scaled.input })],
        initializers: [...scaled.initializers, ...initializers],
      };
    }
    case 'dense':
    case 'sparse':
    case 'sparseGrid': {
      const { nodes, initializers, product } = await storeFactor(compressed, options.activationType, place);
      return { nodes: [...nodes, product({ ...place, ...options })], initializers };
    }
    case 'codebook': {
      const { nodes, initializers, product } = await storeCodebook(compressed, options.activationType, place);
      return { nodes: [...nodes, product({ ...place, ...options })], initializers };
    }
    case 'lowRank':
      return lowRankNodes(compressed, options, place);
    case 'corrected':
      return correctedNodes(compressed, options, place);
  }
}
