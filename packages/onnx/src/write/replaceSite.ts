import { type CompressedWeight, CompressionError, type LinearSite } from '@quern/core';
import { floatOf } from '../attributeValue.ts';
import { float16Initializer, floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import type { GraphProto, NodeProto } from '../generated/onnx_pb.js';
import { nodeKey } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { locateSite } from '../sites/locateSite.ts';
import type { ScannedSite } from '../sites/scanSites.ts';
import { admitContribNodes, dropUnused, type FreshNames, freshNames, replaceNode, standardOpset } from './graphEdit.ts';
import type { GraphPiece, KernelOptions } from './graphPiece.ts';
import { toNodes } from './toNodes.ts';
import type { WeightStore } from './weightStore.ts';

/** A site and what takes the place of its weight. */
export interface SiteReplacement extends KernelOptions {
  readonly site: LinearSite;
  readonly compressed: CompressedWeight;
}

/**
 * Replaces a site's weight in the graph, in place: the nodes that multiply by the compressed weight stand where the
 * MatMul or Gemm stood and give the same output name; a Gemm's bias is added after. The old weight goes unless another
 * node reads it.
 *
 * @throws CompressionError MISSING_TENSOR when the graph does not hold the site, INVALID_SHAPE when the compressed weight
 *   is of another shape, UNSUPPORTED_MODEL for codebooks in a graph older than opset 10; otherwise as `toNodes`.
 */
export async function replaceSite(model: OnnxModel, replacement: SiteReplacement, store: WeightStore): Promise<void> {
  const { site, compressed } = replacement;
  const scanned = locateSite(model, site);
  checkShape(compressed, site);
  requireOperators(model, compressed);
  admitContribNodes(model.proto);
  const names = freshNames(model);
  const weightName = scanned.weight.name;
  const mainGraph = model.proto.graph!;
  await rewire(scanned, names, replacement, place =>
    toNodes(compressed, replacement, { ...place, weightName, names, store, mainGraph }),
  );
}

/** The operators that put codebooks together take opset 10. */
function requireOperators(model: OnnxModel, { kind }: CompressedWeight): void {
  const opset = standardOpset(model.proto);
  if (kind !== 'codebook' || opset >= 10) return;
  const message = `Codebooks are put together by operators of opset 10; the model has ${opset}. Use another method, or convert the model.`;
  throw new CompressionError('UNSUPPORTED_MODEL', message, { opset, limit: 10 });
}

/** Where the product of a rewired site stands. */
export interface RewiredProduct {
  readonly input: string;
  readonly output: string;
  readonly nodeName: string;
  readonly graph: GraphProto;
  readonly replaced: NodeProto;
}

/** Puts a new product in the place of a site's node, with what Gemm does around it, and drops what is left unused. */
export async function rewire(
  scanned: ScannedSite,
  names: FreshNames,
  options: KernelOptions,
  makeProduct: (place: RewiredProduct) => Promise<GraphPiece> | GraphPiece,
): Promise<void> {
  const { node: old, scope } = scanned;
  const [input = '', weightInput = '', bias = ''] = old.input;
  const output = old.output[0] ?? '';
  const nodeName = nodeKey(old);
  const before: GraphPiece = { nodes: [], initializers: [] };
  let productInput = input;
  if (scanned.inputTransposed) {
    productInput = names.take(`${nodeName}_input`);
    before.nodes.push(node('Transpose', [input], [productInput], { attributes: { perm: { ints: [1, 0] } } }));
  }
  const beta = floatOf(old, 'beta', 1);
  const hasBias = bias !== '' && beta !== 0;
  const productOutput = hasBias ? names.take(`${output}_product`) : output;
  const product = await makeProduct({
    ...{ input: productInput, output: productOutput, nodeName },
    ...{ graph: scope.graph, replaced: old },
  });
  const after = hasBias ? addBias(bias, beta) : { nodes: [], initializers: [] };
  const pieces = [before, product, after];
  replaceNode(
    scope.graph,
    old,
    pieces.flatMap(({ nodes }) => nodes),
  );
  scope.graph.initializer.push(...pieces.flatMap(({ initializers }) => initializers));
  for (const name of new Set([weightInput, bias])) if (name !== '') dropUnused(scope, name);

  function addBias(biasName: string, factor: number): GraphPiece {
    const piece: GraphPiece = { nodes: [], initializers: [] };
    let addend = biasName;
    if (factor !== 1) {
      const scalar = options.activationType === 'float16' ? float16Initializer : floatInitializer;
      const beta = scalar(names.take(`${nodeName}_beta`), [factor], []);
      addend = names.take(`${nodeName}_bias`);
      piece.initializers.push(beta);
      piece.nodes.push(node('Mul', [biasName, beta.name], [addend], { name: names.take(`${addend}/Mul`) }));
    }
    const name = names.take(`${nodeName}/Add`);
    piece.nodes.push(node('Add', [productOutput, addend], [output], { name }));
    return piece;
  }
}

/**
 * Checks a compressed weight against the shape it replaces.
 *
 * @throws CompressionError INVALID_SHAPE
 */
export function checkShape(
  compressed: Pick<CompressedWeight, 'outFeatures' | 'inFeatures'>,
  site: Pick<LinearSite, 'name' | 'outFeatures' | 'inFeatures'>,
): void {
  if (compressed.outFeatures === site.outFeatures && compressed.inFeatures === site.inFeatures) return;
  const actual = `[${compressed.outFeatures}, ${compressed.inFeatures}]`;
  const message = `The compressed weight for ${site.name} is ${actual}; the site is [${site.outFeatures}, ${site.inFeatures}].`;
  throw new CompressionError('INVALID_SHAPE', message, { site: site.name });
}
