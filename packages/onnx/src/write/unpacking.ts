import { inlineInitializer } from '../build/inlineInitializer.ts';
import { type NodeOptions, node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { GraphProto, NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { FreshNames } from './graphEdit.ts';
import type { GraphPiece } from './graphPiece.ts';
import type { WeightStore } from './weightStore.ts';

/** How codes stand for bytes: code = lowest + step index, indices of `width` bits. */
interface CodeWidth {
  readonly width: number;
  readonly lowest: number;
  readonly step: number;
}

/** Values of a masked matrix, by name, and the one that is left out. */
interface SpreadValues {
  readonly values: string;
  readonly zero: Uint8Array<ArrayBuffer> | Float16Array<ArrayBuffer>;
}

/** Parts of one tensor in the store, and the nodes that put it together, by names that begin with its own. */
export interface Unpacking extends GraphPiece {
  /** A tensor in the data file. */
  readonly keep: (suffix: string, type: number, dims: readonly number[], bytes: Uint8Array) => Promise<string>;
  /** What stands in a matrix of this shape where the mask is 1: the next of the values, column by column; `zero` elsewhere. */
  readonly spread: (mask: Uint8Array, shape: readonly [number, number], values: SpreadValues) => Promise<string>;
  /** Codes, uint8, from indices that are stored at their width. */
  readonly codesOf: (indices: Uint8Array, width: CodeWidth) => Promise<string>;
  /** So many more columns of one code. */
  readonly widen: (matrix: string, added: readonly [number, number], zero: number) => string;
  /** Bytes, each of 8 / bits codes, the low bits first. */
  readonly bytesOf: (codes: string, bits: number) => string;
  /** Gives a value its shape and the tensor's own name. */
  readonly finish: (value: string, shape: readonly number[], name: string) => void;
}

/** Where tensors are put together: constants that many of them need stand once in the main graph. */
export interface UnpackingPlace {
  readonly store: WeightStore;
  readonly names: FreshNames;
  readonly mainGraph: GraphProto;
  /** Constants so far, by what they hold. */
  readonly constants: Map<string, string>;
}

/** Begins without nodes. */
export function unpacking({ store, names, mainGraph, constants }: UnpackingPlace, weightName: string): Unpacking {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const constant = (type: number, dims: readonly number[], values: Uint8Array): string => {
    const key = `${type} ${dims} ${Buffer.from(values).toString('base64')}`;
    const known = constants.get(key);
    if (known !== undefined) return known;
    const tensor = inlineInitializer(names.take(`unpack_constant_${constants.size}`), type, dims, values);
    mainGraph.initializer.push(tensor);
    constants.set(key, tensor.name);
    return tensor.name;
  };
  const add = (type: string, inputs: readonly string[], output: string, attributes: NodeOptions['attributes'] = {}) => {
    nodes.push(node(type, inputs, [output], { attributes }));
    return output;
  };
  const apply = (type: string, inputs: readonly string[], attributes?: NodeOptions['attributes']): string =>
    add(type, inputs, names.take(`${weightName}_u${nodes.length}`), attributes);
  const cast = (value: string, to: number) => apply('Cast', [value], { to: { int: to } });
  const int64 = (...values: number[]) =>
    constant(DataType.INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  const reshape = (value: string, ...shape: number[]) => apply('Reshape', [value, int64(...shape)]);
  const keep: Unpacking['keep'] = async (suffix, type, dims, values) => {
    const tensor = await store.add(names.take(`${weightName}_${suffix}`), type, dims, values);
    initializers.push(tensor);
    return tensor.name;
  };

  /** The first `count` bits of a tensor of bytes, one a byte, low ones first. */
  function bitsOf(packed: string, count: number): string {
    const table = Uint8Array.from({ length: 2048 }, (_, index) => ((index >> 3) >> (index & 7)) & 1);
    const rows = apply('Gather', [constant(DataType.UINT8, [256, 8], table), cast(packed, DataType.INT32)]);
    return apply('Slice', [reshape(rows, -1), int64(0), int64(count)]);
  }

  /** The product of `[n, k]` bytes and k weights, as bytes. */
  function weighted(rows: string, weights: readonly number[], offset = 0): string {
    const factor = constant(DataType.UINT8, [weights.length, 1], Uint8Array.from(weights));
    let sums = apply('MatMulInteger', [rows, factor]);
    if (offset > 0) {
      const addend = constant(DataType.INT32, [1], new Uint8Array(Int32Array.of(offset).buffer));
      sums = apply('Add', [sums, addend]);
    }
    return cast(sums, DataType.UINT8);
  }

  return {
    nodes,
    initializers,
    keep,
    async spread(mask, [rows, columns], { values, zero }) {
      const stored = await keep('mask', DataType.UINT8, [2 * Math.ceil(mask.length / 2)], inPairs(mask));
      // NonZero would name the places, but sessions do not fold it. Sums down the columns, whose steps are whole rows, are fast.
      const ones = cast(reshape(bitsOf(stored, rows * columns), rows, columns), DataType.INT32);
      const sums = apply('CumSum', [ones, int64(0)]);
      const totals = apply('Gather', [sums, int64(rows - 1)]);
      const before = apply('CumSum', [totals, int64(1)], { exclusive: { int: 1 } });
      const order = apply('Mul', [apply('Add', [sums, before]), ones]);
      const none = constant(typeOf(zero), [1], new Uint8Array(zero.buffer));
      return apply('Gather', [apply('Concat', [none, values], { axis: { int: 0 } }), order]);
    },
    async codesOf(indices, { width, lowest, step }) {
      const packed = inPairs(bitStream(indices, width));
      const stored = await keep('codes', DataType.UINT8, [packed.length], packed);
      const rows = reshape(bitsOf(stored, indices.length * width), indices.length, width);
      const powers = Array.from({ length: width }, (_, bit) => step * 2 ** bit);
      return reshape(weighted(rows, powers, lowest), -1);
    },
    widen(matrix, [rows, columns], zero) {
      const value = { tensor: inlineInitializer('value', DataType.UINT8, [1], Uint8Array.of(zero)) };
      const padding = apply('ConstantOfShape', [int64(rows, columns)], { value });
      return apply('Concat', [matrix, padding], { axis: { int: 1 } });
    },
    bytesOf(codes, bits) {
      const places = Array.from({ length: 8 / bits }, (_, place) => 2 ** (place * bits));
      return weighted(reshape(codes, -1, places.length), places);
    },
    finish(value, shape, name) {
      add('Reshape', [value, int64(...shape)], name);
    },
  };
}

function typeOf(values: Uint8Array | Float16Array): number {
  return values instanceof Uint8Array ? DataType.UINT8 : DataType.FLOAT16;
}

function inPairs(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const padded = new Uint8Array(bytes.length + 1);
  padded.set(bytes);
  return padded;
}

/** Numbers of `width` bits one after the other, low bits first. */
function bitStream(numbers: Uint8Array, width: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((numbers.length * width) / 8));
  let bit = 0;
  for (const value of numbers) {
    const spread = value << (bit & 7);
    packed[bit >> 3]! |= spread & 255;
    if (spread > 255) packed[(bit >> 3) + 1]! |= spread >> 8;
    bit += width;
  }
  return packed;
}
