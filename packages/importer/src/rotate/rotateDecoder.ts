import { CompressionError, uniformNumbers } from '@quern/core';
import { gemm, type Matrix, randomOrthogonal } from '@quern/linalg';
import {
  cloneModel,
  DataType,
  type GraphProto,
  type OnnxModel,
  readFloats,
  type TensorProto,
  type WeightStore,
} from '@quern/onnx';
import { addTiedRotation } from './addTiedRotation.ts';
import { checkRotatable } from './checkRotatable.ts';
import { findHeads } from './findHeads.ts';
import { rotateHeads, rotateLastRows } from './rotateHeads.ts';

export interface RotateOptions {
  readonly seed: number;
  /** Receives every weight; the caller closes it. */
  readonly store: WeightStore;
  readonly onTensor?: (done: number, total: number) => void;
}

/** Where the gain of the norm before a projection stands. */
const READS: Readonly<Record<string, string>> = {
  'attn.q_proj': 'input_layernorm',
  'attn.k_proj': 'input_layernorm',
  'attn.v_proj': 'input_layernorm',
  'attn.qkv_proj': 'input_layernorm',
  'mlp.gate_proj': 'post_attention_layernorm',
  'mlp.up_proj': 'post_attention_layernorm',
  'mlp.gate_up_proj': 'post_attention_layernorm',
};
const WRITES: ReadonlySet<string> = new Set(['attn.o_proj', 'mlp.down_proj']);
const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.MatMul.weight';
const FINAL_NORM = 'model.norm.weight';
const NORM = /^model\.(norm|layers\.\d+\.(input|post_attention)_layernorm)\.weight$/;
const PROJECTION = /^(model\.layers\.\d+)\.((?:attn|mlp)\.\w+_proj)\.(MatMul\.weight|Add\.bias)$/;

/**
 * An imported decoder that computes the same logits in another basis, in which no channel of the hidden state stands out: rotations
 * are folded into the weights, and no node is added but one where the head is the embedding.
 *
 * With h the residual stream, R orthogonal and g the gain of a norm, n(h) R = n(h R) for the norm n without its gain. So gains go into
 * the weights that read them (W diag(g)), those weights and the head are multiplied by R on the input side, the embedding too, and what
 * writes to the stream (o_proj, down_proj, their biases) on the output side. A second rotation of each block turns the values of every head:
 * rows of v_proj (of qkv_proj the last), columns of o_proj. A head that shares the embedding's table T keeps sharing T R; R^T diag(g) R is multiplied before it,
 * hiddenSize^2 weights instead of a table of its own.
 * Source: QuaRot, arXiv:2404.00456, section 4 (the rotations that need no nodes); SpinQuant, arXiv:2405.16406, calls them R1 and R2.
 * Rotations are random: see `randomOrthogonal`.
 *
 * `model` as `importCheckpoint` gives it, stays as it is; weights are stored in the type that the graph reads them in, in float32 where
 * it casts them. Errors: UNSUPPORTED_MODEL for any other graph, and as `checkRotatable`; those of the store.
 * Cost: reads and writes each weight once; hiddenSize multiply-adds a weight, twice for attention's values and outputs; one weight in memory,
 * twice.
 */
export async function rotateDecoder(model: OnnxModel, { seed, store, onTensor }: RotateOptions): Promise<OnnxModel> {
  checkRotatable(model);
  const rotated = cloneModel(model);
  const graph = rotated.proto.graph!;
  const tensors = new Map(graph.initializer.map(tensor => [tensor.name, tensor]));
  const hiddenSize = Number(tensors.get(EMBEDDING)?.dims[1] ?? 0);
  const heads = findHeads(graph);
  if (hiddenSize === 0 || heads === null || !tensors.has(FINAL_NORM)) throw unknownStructure(model);
  const uniform = uniformNumbers(seed);
  const hidden = toFloat32(await randomOrthogonal(hiddenSize, uniform));
  const gains = new Map<string, Float32Array>();
  for (const tensor of graph.initializer)
    if (NORM.test(tensor.name)) gains.set(tensor.name, await readFloats(model, tensor));
  const valueRotations = new Map<string, Matrix<Float32Array>>();
  for (const [block, { headSize }] of heads)
    valueRotations.set(block, toFloat32(await randomOrthogonal(headSize, uniform)));

  const rotate = async (tensor: TensorProto): Promise<Float32Array> => {
    const { name } = tensor;
    const data = await readFloats(model, tensor);
    const [rows = 1, columns = data.length] = tensor.dims.length === 2 ? tensor.dims.map(Number) : [];
    const weight: Matrix<Float32Array> = { rows, columns, data };
    if (NORM.test(name)) return new Float32Array(data.length).fill(1);
    if (name === EMBEDDING) return (await gemm(weight, hidden)).data;
    if (name === HEAD) return (await gemm(withGains(weight, gains.get(FINAL_NORM)!), hidden)).data;
    const [, block = '', place = '', part = ''] = PROJECTION.exec(name) ?? [];
    const values = valueRotations.get(block)!;
    let current = weight;
    if (part === 'MatMul.weight' && READS[place]) {
      current = await gemm(withGains(current, gains.get(`${block}.${READS[place]}.weight`)!), hidden);
    }
    if (place === 'attn.v_proj') current = await rotateHeads(current, values, part === 'Add.bias' ? 'columns' : 'rows');
    if (place === 'attn.qkv_proj') current = await rotateLastRows(current, values, heads.get(block)!.valueSize);
    if (place === 'attn.o_proj' && part === 'MatMul.weight') current = await rotateHeads(current, values, 'columns');
    if (WRITES.has(place)) {
      // A bias is a row: b R; a weight has its outputs as rows: R^T W.
      current = part === 'Add.bias' ? await gemm(current, hidden) : await gemm(hidden, current, { transposeA: true });
    }
    return current.data;
  };

  const stored = graph.initializer.filter(tensor => tensor.externalData.length > 0);
  for (const [done, tensor] of stored.entries()) {
    const values = await rotate(tensor);
    const type = storedType(graph, tensor);
    const own = await store.add(tensor.name, type, tensor.dims.map(Number), encode(values, type));
    graph.initializer[graph.initializer.indexOf(tensor)] = own;
    onTensor?.(done + 1, stored.length);
  }
  if (!tensors.has(HEAD)) await addTiedRotation(rotated, { gains: gains.get(FINAL_NORM)!, hidden, store });
  return { proto: rotated.proto, folder: store.folder };
}

/** W diag(g): the gain of input i goes into column i. */
function withGains(weight: Matrix<Float32Array>, gains: Float32Array): Matrix<Float32Array> {
  const { columns } = weight;
  return { ...weight, data: weight.data.map((value, at) => value * gains[at % columns]!) };
}

function toFloat32({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float32Array> {
  return { rows, columns, data: Float32Array.from(data) };
}

/** Float32 where a Cast follows; else what the nodes read. */
function storedType(graph: GraphProto, tensor: TensorProto): number {
  const isCast = graph.node.some(node => node.opType === 'Cast' && node.input[0] === tensor.name);
  return isCast ? DataType.FLOAT : tensor.dataType;
}

function encode(values: Float32Array, type: number): Uint8Array {
  if (type === DataType.FLOAT16) return new Uint8Array(Float16Array.from(values).buffer);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function unknownStructure({ folder }: OnnxModel): CompressionError {
  return new CompressionError(
    'UNSUPPORTED_MODEL',
    `The graph in ${folder} is no decoder made from a checkpoint: what each weight reads and writes is not known, so no rotation can be folded into it. Pass the checkpoint's folder, or leave --rotate away.`,
    { folder },
  );
}
