import { attributeOf, isStandard } from '../attributeValue.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import { subGraphs } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { copyMessage } from './copyMessage.ts';

/** Operators of ONNX Runtime's own. */
const DOMAIN = 'com.microsoft';

/**
 * A copy of the header in which products read stored float32 weights `[outFeatures, inFeatures]`, or half-precision ones that are cast, as they
 * lie: MatMul(x, Transpose(W)) becomes FusedMatMul(x, W, transB). The same values, since both are packed alike; but a session that opens
 * the first form makes a turned copy of every weight before it packs it. Tensors are shared with the model; one with sub-graphs stays as it is.
 */
export function fuseTransposes(model: OnnxModel): OnnxModel {
  const graph = model.proto.graph;
  if (!graph) return model;
  const floats = floatWeights(graph);
  const turned = new Map(
    graph.node
      .filter(each => isStandard(each, 'Transpose') && floats.has(each.input[0]!) && turnsMatrix(each))
      .map(each => [each.output[0]!, each.input[0]!]),
  );
  // What a sub-graph reads from around it is not looked for.
  const hasSubGraphs = graph.node.some(each => subGraphs(each).length > 0);
  if (turned.size === 0 || hasSubGraphs) return model;
  const nodes = graph.node.map(product => {
    const weight = isStandard(product, 'MatMul') ? turned.get(product.input[1]!) : undefined;
    if (weight === undefined) return product;
    const options = { name: product.name, domain: DOMAIN, attributes: { transB: { int: 1 } } };
    return node('FusedMatMul', [product.input[0]!, weight], [...product.output], options);
  });
  const read = new Set([...nodes.flatMap(({ input }) => input), ...graph.output.map(({ name }) => name)]);
  const kept = nodes.filter(({ output }) => !turned.has(output[0]!) || read.has(output[0]!));
  const { opsetImport } = model.proto;
  const known = opsetImport.some(({ domain }) => domain === DOMAIN);
  const opsets = known ? opsetImport : [...opsetImport, copyMessage(opsetImport[0]!, { domain: DOMAIN, version: 1n })];
  const changed = copyMessage(graph, { node: kept });
  return { proto: copyMessage(model.proto, { graph: changed, opsetImport: opsets }), folder: model.folder };
}

/** Names of matrices that are stored in float32, or cast to it. */
function floatWeights(graph: NonNullable<OnnxModel['proto']['graph']>): ReadonlySet<string> {
  const matrices = graph.initializer.filter(({ dims }) => dims.length === 2);
  const names = new Set(matrices.map(({ name }) => name));
  const floats = matrices.filter(({ dataType }) => dataType === DataType.FLOAT).map(({ name }) => name);
  const casts = graph.node.filter(
    each =>
      isStandard(each, 'Cast') && names.has(each.input[0]!) && Number(attributeOf(each, 'to')?.i) === DataType.FLOAT,
  );
  return new Set([...floats, ...casts.map(({ output }) => output[0]!)]);
}

function turnsMatrix(transpose: NodeProto): boolean {
  const order = attributeOf(transpose, 'perm')?.ints.map(Number) ?? [1, 0];
  return order[0] === 1 && order[1] === 0;
}
