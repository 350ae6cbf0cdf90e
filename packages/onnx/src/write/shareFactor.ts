import { createHash } from 'node:crypto';
import { CompressionError, type Factor } from '@quern/core';
import type { ActivationType, ProductPlace } from './graphPiece.ts';
import { type StoredFactor, storeFactor } from './storeFactor.ts';
import type { WeightStore } from './weightStore.ts';

interface SharedFactor {
  readonly stored: StoredFactor;
  readonly activationType: ActivationType;
  /** Tells factors apart without keeping them. */
  readonly digest: string;
}

/** What stands in a store under a name that sites have in common. */
const sharedFactors = new WeakMap<WeightStore, Map<string, SharedFactor>>();

/**
 * Stores a factor that several sites have in common, named by `place.weightName`. The first site writes it; its tensors, and
 * the nodes that cast or expand them, go to the front of the main graph, where all nodes and sub-graphs see them. Every
 * further site with the same store reads those.
 *
 * @returns a factor without nodes and tensors: they stand in the graph already.
 * @throws CompressionError INVALID_OPTION for sites of different activation types, SOLVER_FAILED when another factor carries
 *   the name; otherwise as `storeFactor`.
 */
export async function shareFactor(
  factor: Factor,
  activationType: ActivationType,
  place: Pick<ProductPlace, 'weightName' | 'names' | 'store' | 'mainGraph'>,
): Promise<StoredFactor> {
  const { store, weightName, mainGraph } = place;
  const known = sharedFactors.get(store) ?? new Map<string, SharedFactor>();
  sharedFactors.set(store, known);
  const digest = digestOf(factor);
  let shared = known.get(weightName);
  if (shared === undefined) {
    shared = { stored: await storeFactor(factor, activationType, place), activationType, digest };
    known.set(weightName, shared);
  }
  if (shared.digest !== digest) {
    const message = `Two different factors are to be shared under the name "${weightName}".`;
    throw new CompressionError('SOLVER_FAILED', message, { weight: weightName });
  }
  if (shared.activationType !== activationType) {
    const message = `The shared factor "${weightName}" has sites that compute in ${shared.activationType} and in ${activationType}. Share among sites of one type.`;
    throw new CompressionError('INVALID_OPTION', message, { weight: weightName });
  }
  const { nodes, initializers, product } = shared.stored;
  if (!mainGraph.initializer.some(({ name }) => name === initializers[0]!.name)) {
    mainGraph.initializer.push(...initializers);
    mainGraph.node.unshift(...nodes);
  }
  return { nodes: [], initializers: [], product };
}

function digestOf(factor: Factor): string {
  const { kind, outFeatures, inFeatures } = factor;
  const hash = createHash('sha256').update(`${kind} ${outFeatures} ${inFeatures}`);
  if (factor.kind === 'dense') return hash.update(factor.data).digest('hex');
  if (factor.kind === 'sparse') return hash.update(factor.mask).update(factor.values).digest('hex');
  if (factor.kind === 'sparseGrid') {
    return hash.update(` ${factor.bits}`).update(factor.mask).update(factor.codes).update(factor.scales).digest('hex');
  }
  hash.update(` ${factor.bits} ${factor.groupSize} ${factor.scaleType}`).update(factor.codes).update(factor.scales);
  return hash.update(factor.zeroPoints ?? '').digest('hex');
}
