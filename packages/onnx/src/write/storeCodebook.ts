import { type CodebookWeight, CompressionError, codePlanes } from '@quern/core';
import { inlineInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { ActivationType, ProductPlace } from './graphPiece.ts';
import type { StoredFactor } from './storeFactor.ts';

/**
 * Stores code words, codes and scales, with the standard operators that put the weight together; the session folds these once at
 * load and then multiplies by a dense matrix.
 *
 * Codes lie in planes of 8, 4, 2 and 1 bits, the low bits of a byte first; a plane's bytes are looked up in a table of what they
 * contribute to the codes, and the contributions are added.
 * @throws CompressionError INVALID_SHAPE when the parts do not fit each other, SOLVER_FAILED for a code that its codebook does not
 *   have or a value that float16 does not hold exactly.
 * Cost: one pass. At load 23 to 34 bytes a weight for a moment (benchmarks/codebookLoad.ts), then 4 (2 in a float16 graph).
 */
export async function storeCodebook(
  weight: CodebookWeight,
  activationType: ActivationType,
  place: ProductPlace,
): Promise<StoredFactor> {
  check(weight, place.weightName);
  const { store, names, weightName } = place;
  const { outFeatures, inFeatures, groupSize, codebookCount, codebookBits, codes } = weight;
  const groupCount = Math.ceil(inFeatures / groupSize);
  const take = (suffix: string): string => names.take(`${weightName}_${suffix}`);
  const initializers: TensorProto[] = [];
  const nodes: StoredFactor['nodes'] = [];
  const keep = (tensor: TensorProto): string => {
    initializers.push(tensor);
    return tensor.name;
  };
  const int64 = (values: readonly number[]): string => share(int64Initializer('codebook_int64', values), place);
  const int32 = (values: readonly number[], dims = [values.length]): string =>
    share(inlineInitializer('codebook_int32', DataType.INT32, dims, bytesOf(Int32Array.from(values))), place);
  const apply = (type: string, inputs: string[], suffix: string, attributes = {}): string => {
    const output = take(suffix);
    // Without names: a site takes nodes enough.
    nodes.push(node(type, inputs, [output], { attributes }));
    return output;
  };
  const cast = (input: string, to: number, suffix: string): string =>
    apply('Cast', [input], suffix, { to: { int: to } });

  const flat = int64([-1]);
  let indices = '';
  let shift = codebookBits;
  for (const [position, width] of codePlanes(codebookBits).entries()) {
    shift -= width;
    const bytes = planeOf(codes, shift, width);
    const plane = keep(await store.add(take(`codes${position}`), DataType.UINT8, [bytes.length], bytes));
    let part = cast(plane, DataType.INT32, `part${position}`);
    if (width < 8 || shift > 0) {
      part = apply('Gather', [int32(contributions(width, shift), [256, 8 / width]), part], `entries${position}`);
    }
    part = apply('Reshape', [part, flat], `flat${position}`);
    if (bytes.length * (8 / width) !== codes.length) {
      const [start, end] = [int64([0]), int64([codes.length])];
      part = apply('Slice', [part, start, end], `cut${position}`);
    }
    indices = indices === '' ? part : apply('Add', [indices, part], `sum${position}`);
  }
  const dims = [codebookCount << codebookBits, groupSize];
  const table = keep(await store.add(take('words'), DataType.FLOAT16, dims, halves(weight.codebooks)));
  const scales = keep(await store.add(take('scales'), DataType.FLOAT16, [outFeatures, 1], halves(weight.scales)));
  const words = cast(table, DataType.FLOAT, 'words_f32');
  // One codebook after the other: no more than two sums of words are in memory.
  const columns = codebookCount > 1 ? apply('Reshape', [indices, int64([-1, codebookCount])], 'columns_of') : '';
  let matrix = '';
  for (let codebook = 0; codebook < codebookCount; codebook++) {
    let own = indices;
    if (codebookCount > 1) {
      own = apply('Gather', [columns, int32([codebook], [])], `own${codebook}`, {
        axis: { int: 1 },
      });
      if (codebook > 0) own = apply('Add', [own, int32([codebook << codebookBits])], `rows${codebook}`);
    }
    const found = apply('Gather', [words, own], `found${codebook}`);
    matrix = codebook === 0 ? found : apply('Add', [matrix, found], `words${codebook}`);
  }
  matrix = apply('Reshape', [matrix, int64([outFeatures, groupCount * groupSize])], 'rows');
  if (groupCount * groupSize !== inFeatures) {
    const range = [int64([0]), int64([inFeatures]), int64([1])];
    matrix = apply('Slice', [matrix, ...range], 'inputs');
  }
  matrix = apply('Mul', [matrix, cast(scales, DataType.FLOAT, 'scales_f32')], 'scaled');
  if (activationType === 'float16') matrix = cast(matrix, DataType.FLOAT16, 'f16');
  matrix = apply('Transpose', [matrix], 'dense', { perm: { ints: [1, 0] } });
  return {
    nodes,
    initializers,
    product: ({ input, output, nodeName, names: nodeNames }) =>
      node('MatMul', [input, matrix], [output], { name: nodeNames.take(`${nodeName}_codebook`) }),
  };
}

/** Bits [shift, shift + width) of every code, one after the other, low bits of a byte first. */
function planeOf(codes: Uint16Array, shift: number, width: number): Uint8Array {
  const perByte = 8 / width;
  const bytes = new Uint8Array(Math.ceil(codes.length / perByte));
  const mask = 2 ** width - 1;
  for (let index = 0; index < codes.length; index++) {
    const at = Math.floor(index / perByte);
    bytes[at]! |= ((codes[index]! >> shift) & mask) << (width * (index % perByte));
  }
  return bytes;
}

/** `[256, codes per byte]`: what each byte of a plane adds to the codes. */
function contributions(width: number, shift: number): number[] {
  const perByte = 8 / width;
  return Array.from({ length: 256 * perByte }, (_, index) => {
    const byte = Math.floor(index / perByte);
    return ((byte >> (width * (index % perByte))) & (2 ** width - 1)) << shift;
  });
}

/** The name of a small constant that stands in the main graph, once for all weights. */
function share(constant: TensorProto, { mainGraph, names }: ProductPlace): string {
  const { name: stem, dataType, dims, rawData } = constant;
  const known = mainGraph.initializer.find(
    other =>
      other.name.startsWith(stem) &&
      other.dataType === dataType &&
      other.dims.join() === dims.join() &&
      Buffer.compare(other.rawData, rawData) === 0,
  );
  if (known) return known.name;
  constant.name = names.take(stem);
  mainGraph.initializer.push(constant);
  return constant.name;
}

function bytesOf({ buffer }: Int32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer);
}

function halves(values: Float32Array): Uint8Array {
  return new Uint8Array(new Float16Array(values).buffer);
}

function check(weight: CodebookWeight, name: string): void {
  const { outFeatures, inFeatures, groupSize, codebookCount, codebookBits, codebooks, codes, scales } = weight;
  const codeCount = outFeatures * Math.ceil(inFeatures / groupSize) * codebookCount;
  const valueCount = codebookCount * 2 ** codebookBits * groupSize;
  if (codes.length !== codeCount || codebooks.length !== valueCount || scales.length !== outFeatures) {
    const message = `The codebooks for "${name}" have ${codebooks.length} values, ${codes.length} codes and ${scales.length} scales; [${outFeatures}, ${inFeatures}] takes ${valueCount}, ${codeCount} and ${outFeatures}.`;
    throw new CompressionError('INVALID_SHAPE', message, { weight: name, outFeatures, inFeatures });
  }
  const largest = codes.reduce((most, code) => Math.max(most, code), 0);
  if (largest >= 2 ** codebookBits) {
    const message = `The codes for "${name}" reach ${largest}; a codebook has ${2 ** codebookBits} words.`;
    throw new CompressionError('SOLVER_FAILED', message, { weight: name, code: largest });
  }
  for (const values of [codebooks, scales]) {
    const value = values.find(one => !(Math.f16round(one) === one && Number.isFinite(one)));
    if (value === undefined) continue;
    const message = `The codebooks for "${name}" hold ${value}, which float16 does not hold exactly. Their solver must round to float16.`;
    throw new CompressionError('SOLVER_FAILED', message, { weight: name, value });
  }
}
