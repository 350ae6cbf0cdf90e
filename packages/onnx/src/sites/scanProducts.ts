import { intOf, isStandard } from '../attributeValue.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import { type DefinitionIndex, type GraphScope, graphScopes, indexDefinitions } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { activationKey, type ScannedSite, scanSites } from './scanSites.ts';

/** A product of an activation with a weight, stored in whatever form. */
export type ScannedProduct = Pick<ScannedSite, 'scope' | 'node' | 'inputKey'> & {
  readonly weight: Pick<ScannedSite['weight'], 'name'>;
  /** Null where a graph puts the weight together from parts. */
  readonly outFeatures: number | null;
  readonly inFeatures: number | null;
};

/** Finds linear sites, n-bit kernels, and products with what is computed from stored tensors alone, in graph order. */
export function scanProducts(model: OnnxModel): ScannedProduct[] {
  const sites = new Map(scanSites(model).map(site => [site.node, site]));
  const scopes = graphScopes(model);
  const index = indexDefinitions(scopes);
  const constants = new Map<NodeProto, boolean>();
  return scopes.flatMap(scope =>
    scope.graph.node.flatMap(node => {
      const product = sites.get(node) ?? scanNode(index, scope, node, constants);
      return product ? [product] : [];
    }),
  );
}

function scanNode(
  index: DefinitionIndex,
  scope: GraphScope,
  node: NodeProto,
  constants: Map<NodeProto, boolean>,
): ScannedProduct | null {
  const [input = '', name = ''] = node.input;
  const own = { scope, node, weight: { name }, inputKey: activationKey(index, scope, input) };
  if (node.opType === 'MatMulNBits' && node.domain === 'com.microsoft') {
    return { ...own, outFeatures: intOf(node, 'N', 0), inFeatures: intOf(node, 'K', 0) };
  }
  if (!isStandard(node, 'MatMul') && !isStandard(node, 'Gemm')) return null;
  if (!isConstant(index, scope, name, constants) || isConstant(index, scope, input, constants)) return null;
  return { ...own, outFeatures: null, inFeatures: null };
}

/** Whether a value depends on no input of the graph. */
function isConstant(index: DefinitionIndex, scope: GraphScope, name: string, known: Map<NodeProto, boolean>): boolean {
  const definition = index.find(scope, name);
  if (definition?.kind !== 'node') return definition?.kind === 'initializer';
  const { node } = definition;
  const before = known.get(node);
  if (before !== undefined) return before;
  // Nodes with sub-graphs may read anything; a graph that loops back has no order, and is no constant.
  known.set(node, false);
  const isStored = node.attribute.every(({ g }) => !g) && readsConstants(index, definition.scope, node, known);
  known.set(node, isStored);
  return isStored;
}

function readsConstants(
  index: DefinitionIndex,
  scope: GraphScope,
  { opType, input }: NodeProto,
  known: Map<NodeProto, boolean>,
): boolean {
  const names = input.filter(name => name !== '');
  if (names.length === 0) return opType === 'Constant';
  return names.every(name => isConstant(index, scope, name, known));
}
