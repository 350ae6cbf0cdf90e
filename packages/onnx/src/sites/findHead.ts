import { create } from '@bufbuild/protobuf';
import { attributeOf, intOf, isStandard } from '../attributeValue.ts';
import { int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { extractSubmodel } from '../edit/extractSubmodel.ts';
import {
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { sliceRows } from '../read/sliceRows.ts';
import { isExternal } from '../read/tensorSize.ts';
import { isEntrywise } from './isEntrywise.ts';
import { scanSites } from './scanSites.ts';

/** A head whose parts of the vocabulary need parts of the files only. */
export interface SlicedHead {
  /** The activation that the product reads. */
  readonly inputName: string;
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Gives the logits of the tokens `[start, end)` alone, under the name of all; `input` declares the activation. */
  slice(input: ValueInfoProto, start: number, end: number): OnnxModel;
}

/** Operators between the stored parts of a head and its product that keep rows apart; a weight may also be turned. */
const BETWEEN = ['Cast', 'Identity', 'Reshape', 'Expand'];

/**
 * The head of a decoder where `logits` is one product, MatMul, Gemm or MatMulNBits, of an activation with a matrix that lies in a file,
 * row by row, a token each; what follows works entry by entry (see `isEntrywise`). Null for any other head, and one that is stored in the header.
 */
export function findHead(model: OnnxModel, logits: string): SlicedHead | null {
  const graph = model.proto.graph;
  if (!graph) return null;
  const producers = new Map(graph.node.flatMap(node => node.output.map(output => [output, node] as const)));
  let product = producers.get(logits);
  while (product && isEntrywise(graph, product)) {
    product = producers.get(product.input[0]!);
  }
  const shape = product && productShape(model, product);
  if (!product || !shape) return null;
  const inputName = product.input[0]!;
  const { vocabularySize } = shape;
  const initializers = new Map(graph.initializer.map(tensor => [tensor.name, tensor]));
  const stored = new Map<string, TensorProto>();
  const between = isStandard(product, 'MatMul') || isStandard(product, 'Gemm') ? [...BETWEEN, 'Transpose'] : BETWEEN;
  // Each operand of the product must come from rows in a file, through nodes that keep rows apart.
  for (const operand of product.input.slice(1).filter(name => name !== '')) {
    let name = operand;
    for (let maker = producers.get(name); maker; maker = producers.get(name)) {
      if (!between.some(operator => isStandard(maker, operator))) return null;
      name = maker.input[0]!;
    }
    const tensor = initializers.get(name);
    if (!tensor || Number(tensor.dims[0]) !== vocabularySize || !isExternal(tensor)) return null;
    stored.set(name, tensor);
  }
  const slice: SlicedHead['slice'] = (input, start, end) => {
    const part = extractSubmodel(model, [input], [logits]);
    return sliceModel(part, { product, stored, vocabularySize }, start, end);
  };
  return { inputName, ...shape, slice };
}

interface HeadShape {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
}

/** Null for a node that is no product of an activation with rows, a token each. */
function productShape(model: OnnxModel, product: NodeProto): HeadShape | null {
  if (product.opType === 'MatMulNBits' && product.domain === 'com.microsoft') {
    return { vocabularySize: intOf(product, 'N', 0), hiddenSize: intOf(product, 'K', 0) };
  }
  const site = scanSites(model).find(({ node, scope }) => node === product && scope.parent === null);
  if (!site?.storedByOutput || site.inputTransposed) return null;
  return { vocabularySize: site.outFeatures, hiddenSize: site.inFeatures };
}

interface HeadParts {
  readonly product: NodeProto;
  readonly stored: ReadonlyMap<string, TensorProto>;
  readonly vocabularySize: number;
}

/** The same nodes over fewer rows. */
function sliceModel(
  part: OnnxModel,
  { product, stored, vocabularySize }: HeadParts,
  start: number,
  end: number,
): OnnxModel {
  const graph = part.proto.graph!;
  const shapes = new Set(
    graph.node.filter(node => isStandard(node, 'Reshape') || isStandard(node, 'Expand')).map(({ input }) => input[1]!),
  );
  const initializer = graph.initializer.map(tensor => {
    if (stored.has(tensor.name)) return sliceRows(tensor, start, end);
    return shapes.has(tensor.name) ? withRows(tensor, vocabularySize, end - start) : tensor;
  });
  const nodes = graph.node.map(each => (each === product ? withOutputs(each, end - start) : each));
  const { input, output, name } = graph;
  const sliced: GraphProto = create(GraphProtoSchema, { name, node: nodes, initializer, input, output });
  const { irVersion, opsetImport } = part.proto;
  const proto = create(ModelProtoSchema, {
    ...(irVersion === undefined ? {} : { irVersion }),
    opsetImport,
    graph: sliced,
  });
  return { proto, folder: part.folder };
}

/** The shape that a node gives to stored rows, one row a token. */
function withRows(tensor: TensorProto, vocabularySize: number, rows: number): TensorProto {
  const { rawData, int64Data } = tensor;
  const bytes = new Uint8Array(rawData);
  const sizes = bytes.length > 0 ? [...new BigInt64Array(bytes.buffer)] : [...int64Data];
  if (sizes[0] !== BigInt(vocabularySize)) return tensor;
  return int64Initializer(tensor.name, [rows, ...sizes.slice(1).map(Number)]);
}

/** MatMulNBits names its outputs; the other products take them from their operands. */
function withOutputs(product: NodeProto, rows: number): NodeProto {
  if (!attributeOf(product, 'N')) return product;
  const { input, output, name, domain } = product;
  const attributes = Object.fromEntries(
    product.attribute.map(({ name, i }) => [name, { int: name === 'N' ? rows : i }]),
  );
  return node(product.opType, [...input], [...output], { name, domain, attributes });
}
