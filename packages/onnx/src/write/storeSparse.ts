import type { SparseGridWeight, SparseWeight } from '@quern/core';
import { inlineInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { ActivationType, WeightPlace } from './graphPiece.ts';
import type { StoredFactor } from './storeFactor.ts';
import { turnSparse } from './turnSparse.ts';

/**
 * Stores a sparse matrix as a bit mask and float16 values, or codes of their width one after the other and a scale an output, in the order of
 * `[inFeatures, outFeatures]` that MatMul reads, with the standard operators that put it together; the session folds these once at load
 * and then multiplies by a dense matrix.
 *
 * Mask and codes are padded to whole pairs of bytes. @throws CompressionError INVALID_SHAPE when mask and values do not fit each
 * other, SOLVER_FAILED for a value or scale that float16 does not hold exactly.
 * Cost: one pass. At load 24 bytes a place for a moment, 8 more for each bit of a code, then 4 a place (2 in a float16 graph).
 */
export async function storeSparse(
  weight: SparseWeight | SparseGridWeight,
  activationType: ActivationType,
  place: WeightPlace,
): Promise<StoredFactor> {
  const { outFeatures, inFeatures } = weight;
  const turned = turnSparse(weight, place.weightName);
  const build = builder(place);
  const { apply, int64 } = build;
  const mask = await build.store('mask', DataType.UINT8, turned.bits);
  const column = int64('column', [-1, 1]);
  const length = int64('length', [outFeatures * inFeatures]);
  const places = unpackBits(build, mask, 'mask');
  const found = apply('NonZero', [places], 'found');
  const indices = apply('Reshape', [found, column], 'indices');
  const zeros = apply('ConstantOfShape', [length], 'zeros');
  const shape = int64('shape', [inFeatures, outFeatures]);
  let matrix: string;
  if (weight.kind === 'sparse') {
    const values = await build.store('values', DataType.FLOAT16, turned.values);
    const wide = apply('Cast', [values], 'f32', DataType.FLOAT);
    matrix = apply('Reshape', [apply('ScatterND', [zeros, indices, wide], 'scattered'), shape], 'dense');
  } else {
    const codes = await build.store('codes', DataType.UINT8, turned.values);
    const scales = await build.store('scales', DataType.FLOAT16, Float16Array.from(weight.scales));
    const levels = unpackCodes(build, codes, weight);
    const scattered = apply('ScatterND', [zeros, indices, levels], 'scattered');
    const onGrid = apply('Reshape', [scattered, shape], 'steps');
    matrix = apply('Mul', [onGrid, apply('Cast', [scales], 'scales_f32', DataType.FLOAT)], 'dense');
  }
  if (activationType === 'float16') matrix = apply('Cast', [matrix], 'f16', DataType.FLOAT16);
  return {
    nodes: build.nodes,
    initializers: build.initializers,
    product: ({ input, output, nodeName, names }) =>
      node('MatMul', [input, matrix], [output], { name: names.take(`${nodeName}_sparse`) }),
  };
}

/** Levels in float32, `[codes]`: code - (2^bits - 1) / 2. */
function unpackCodes({ apply, constant, int64 }: Builder, codes: string, weight: SparseGridWeight): string {
  const { bits } = weight;
  const all = unpackBits({ apply, constant, int64 }, codes, 'codes');
  const end = int64('codes_end', [weight.codes.length * bits]);
  const used = apply('Slice', [all, int64('codes_start', [0]), end], 'codes_used');
  const table = apply('Reshape', [used, int64('codes_shape', [weight.codes.length, bits])], 'codes_table');
  const floats = apply('Cast', [table], 'codes_f32', DataType.FLOAT);
  const powers = constant(
    'codes_powers',
    [bits, 1],
    Float32Array.from({ length: bits }, (_, bit) => 2 ** bit),
  );
  const sums = apply(
    'Reshape',
    [apply('MatMul', [floats, powers], 'codes_sums'), int64('codes_length', [-1])],
    'codes_flat',
  );
  return apply('Sub', [sums, constant('codes_middle', [1], Float32Array.of((2 ** bits - 1) / 2))], 'levels');
}

/** The bits of bytes as int32, the low ones first. */
function unpackBits(
  { apply, constant, int64 }: Pick<Builder, 'apply' | 'constant' | 'int64'>,
  bytes: string,
  name: string,
): string {
  const powers = constant(
    `${name}_powers`,
    [8],
    Int32Array.from({ length: 8 }, (_, bit) => 2 ** bit),
  );
  const wide = apply('Cast', [bytes], `${name}_bytes`, DataType.INT32);
  const rows = apply('Reshape', [wide, int64(`${name}_column`, [-1, 1])], `${name}_rows`);
  const shifted = apply('Div', [rows, powers], `${name}_shifted`);
  const bits = apply('Mod', [shifted, constant(`${name}_two`, [1], Int32Array.of(2))], `${name}_bits`);
  return apply('Reshape', [bits, int64(`${name}_flat`, [-1])], `${name}_places`);
}

/** Nodes and initializers of one matrix, by names that begin with its own. */
interface Builder {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  /** A node with one output, whose name it gives. */
  readonly apply: (type: string, inputs: readonly string[], suffix: string, to?: number) => string;
  readonly constant: (
    suffix: string,
    dims: number[],
    values: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  ) => string;
  readonly int64: (suffix: string, values: number[]) => string;
  /** A vector in the data file. */
  readonly store: (suffix: string, type: number, values: Uint8Array | Float16Array<ArrayBuffer>) => Promise<string>;
}

function builder({ store, names, weightName }: WeightPlace): Builder {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const take = (suffix: string): string => names.take(`${weightName}_${suffix}`);
  const keep = (tensor: TensorProto): string => {
    initializers.push(tensor);
    return tensor.name;
  };
  return {
    nodes,
    initializers,
    apply(type, inputs, suffix, to) {
      const output = take(suffix);
      const attributes = to === undefined ? {} : { to: { int: to } };
      nodes.push(node(type, [...inputs], [output], { name: `${output}/${type}`, attributes }));
      return output;
    },
    constant: (suffix, dims, values) => {
      const type = values instanceof Int32Array ? DataType.INT32 : DataType.FLOAT;
      return keep(inlineInitializer(take(suffix), type, dims, new Uint8Array(values.buffer)));
    },
    int64: (suffix, values) => keep(int64Initializer(take(suffix), values)),
    store: async (suffix, type, values) => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return keep(await store.add(take(suffix), type, [values.length], bytes));
    },
  };
}
