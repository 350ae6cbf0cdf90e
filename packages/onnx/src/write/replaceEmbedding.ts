import { CompressionError, type LinearSite, type QuantizedWeight, type SlicedQuantized } from '@quern/core';
import { int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { locateEmbedding } from '../sites/findEmbeddings.ts';
import { locateSite } from '../sites/locateSite.ts';
import { admitContribNodes, dropUnused, freshNames, replaceNode, standardOpset } from './graphEdit.ts';
import type { KernelOptions } from './graphPiece.ts';
import { kernelParameters, matMulNBits } from './matMulNBits.ts';
import { checkShape, rewire } from './replaceSite.ts';
import { storeQuantized } from './storeQuantized.ts';
import type { WeightStore } from './weightStore.ts';

/** An embedding and what takes the place of its table. */
export interface EmbeddingReplacement extends KernelOptions {
  /** As in `EmbeddingSite`. */
  readonly gatherNode: string;
  /** The table `[vocabularySize, hiddenSize]`. */
  readonly compressed: QuantizedWeight | SlicedQuantized;
  /** A head that multiplies by the same table; it then reads the same stored bytes. Null to leave heads alone. */
  readonly tiedHead: LinearSite | null;
}

/**
 * Replaces an embedding's Gather by GatherBlockQuantized, in place, and with `tiedHead` the head by MatMulNBits over the
 * same bytes. A hidden size that does not fill whole blocks is padded in storage and cut again after the lookup.
 *
 * @throws CompressionError MISSING_TENSOR when the graph does not hold the nodes, INVALID_SHAPE for another shape,
 *   UNSUPPORTED_MODEL for a padded table in a graph older than opset 10; otherwise as `storeQuantized`.
 */
export async function replaceEmbedding(
  model: OnnxModel,
  replacement: EmbeddingReplacement,
  store: WeightStore,
): Promise<void> {
  const { compressed, tiedHead, activationType, gatherNode } = replacement;
  const embedding = locateEmbedding(model, gatherNode);
  const head = tiedHead && locateSite(model, tiedHead);
  const weightName = embedding.weight.name;
  const [rows, columns] = embedding.weight.tensor.dims.map(Number) as [number, number];
  checkShape(compressed, { name: gatherNode, outFeatures: rows, inFeatures: columns });
  if (tiedHead) checkShape(compressed, tiedHead);
  admitContribNodes(model.proto);
  const names = freshNames(model);
  const stored = await storeQuantized(compressed, { store, names, weightName, codeShape: 'rows' });
  const parameters = kernelParameters(stored, activationType, { names, weightName });
  const { containerBits, kernelBlock, blockCount } = stored.layout;
  const initializers: TensorProto[] = [stored.codes, stored.scales, ...parameters.initializers];
  if (stored.zeroPoints) initializers.push(stored.zeroPoints);

  const { node: gather, scope } = embedding;
  const output = gather.output[0]!;
  const isPadded = blockCount * kernelBlock !== columns;
  const isCast = embedding.weight.dataType !== ACTIVATION_TYPES[activationType];
  const looked = isPadded || isCast ? names.take(`${output}_rows`) : output;
  const nodes: NodeProto[] = [...parameters.nodes, lookUp(looked)];
  if (isPadded) nodes.push(cutPadding(looked, isCast ? names.take(`${output}_cut`) : output));
  if (isCast) nodes.push(castBack(nodes.at(-1)!.output[0]!));
  replaceNode(scope.graph, gather, nodes);
  scope.graph.initializer.push(...initializers);
  dropUnused(scope, gather.input[0]!);
  if (!head) return;
  await rewire(head, names, replacement, place => {
    const shape = int64Initializer(names.take(`${weightName}_shape`), [
      rows,
      blockCount,
      (kernelBlock * containerBits) / 8,
    ]);
    const codes = names.take(`${weightName}_blocks`);
    const reshape = node('Reshape', [stored.codes.name, shape.name], [codes], { name: names.take(`${codes}/Reshape`) });
    const product = matMulNBits(compressed, stored.layout, { ...replacement, ...parameters, ...place, names, codes });
    return { nodes: [reshape, product], initializers: [shape] };
  });

  function lookUp(result: string): NodeProto {
    const tables = [parameters.scales, ...(parameters.zeroPoints ? [parameters.zeroPoints] : [])];
    return node('GatherBlockQuantized', [stored.codes.name, gather.input[1]!, ...tables], [result], {
      name: names.take(`${gatherNode}_Q${containerBits}`),
      domain: 'com.microsoft',
      attributes: {
        bits: { int: containerBits },
        block_size: { int: kernelBlock },
        gather_axis: { int: 0 },
        quantize_axis: { int: 1 },
      },
    });
  }

  function cutPadding(source: string, result: string): NodeProto {
    if (standardOpset(model.proto) < 10) {
      const message = `The embedding "${gatherNode}" needs padding, which takes opset 10; the model has ${standardOpset(model.proto)}. Keep it as it is or convert the model.`;
      throw new CompressionError('UNSUPPORTED_MODEL', message, { gatherNode });
    }
    const bounds = [0, columns, -1].map((value, part) =>
      int64Initializer(names.take(`${weightName}_cut_${['start', 'end', 'axis'][part]}`), [value]),
    );
    initializers.push(...bounds);
    return node('Slice', [source, ...bounds.map(({ name }) => name)], [result], {
      name: names.take(`${result}/Slice`),
    });
  }

  function castBack(source: string): NodeProto {
    const attributes = { to: { int: embedding.weight.dataType } };
    return node('Cast', [source], [output], { name: names.take(`${output}/Cast`), attributes });
  }
}

const ACTIVATION_TYPES = { float32: DataType.FLOAT, float16: DataType.FLOAT16 } as const;
