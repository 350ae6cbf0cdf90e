import { packBlocks, packRows } from '@quern/coder';
import {
  CompressionError,
  type ContainerLayout,
  containerLayout,
  type QuantizedWeight,
  type SlicedQuantized,
} from '@quern/core';
import { DataType } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { FreshNames } from './graphEdit.ts';
import type { WeightStore } from './weightStore.ts';

/** The tensors of one quantised weight, and how they lie. */
export interface StoredQuantized {
  readonly layout: ContainerLayout;
  readonly codes: TensorProto;
  /** `[outFeatures, storedScales]`. */
  readonly scales: TensorProto;
  /** Packed, `[outFeatures, ceil(storedScales * containerBits / 8)]`; null where the kernel's default holds. */
  readonly zeroPoints: TensorProto | null;
}

/** Where and under what names to store. */
export interface StorePlace {
  readonly store: WeightStore;
  readonly names: FreshNames;
  /** Name of the weight that is replaced; the tensors are named after it. */
  readonly weightName: string;
  /** `blocks` for MatMulNBits' `[N, blockCount, bytes]`, `rows` for `[N, blockCount * bytes]`: the same bytes. */
  readonly codeShape: 'blocks' | 'rows';
}

/**
 * Packs a quantised weight into its container and stores it.
 *
 * A grid narrower than its container keeps its own zero points; without stored ones its codes are shifted so that the
 * kernel's default zero point, the middle of the container, holds. Padding reads as zero.
 *
 * @throws CompressionError INVALID_OPTION for a group that the kernels do not have, INVALID_SHAPE for codes that do not
 *   fill the weight or do not fit the grid.
 * Cost: one pass; the packed bytes in memory, of a sliced weight those of a slice and its scales.
 */
export async function storeQuantized(
  weight: QuantizedWeight | SlicedQuantized,
  place: StorePlace,
): Promise<StoredQuantized> {
  const layout = containerLayout(weight);
  const { store, names, weightName, codeShape } = place;
  const { outFeatures } = weight;
  const { containerBits, kernelBlock, blockCount, storedScales } = layout;
  const blockBytes = (kernelBlock * containerBits) / 8;
  const codeDims =
    codeShape === 'blocks' ? [outFeatures, blockCount, blockBytes] : [outFeatures, blockCount * blockBytes];
  // Scales and zero points of all slices lie behind the codes.
  const scaleParts: Uint8Array[] = [];
  const zeroPointParts: Uint8Array[] = [];
  async function* packed(): AsyncGenerator<Uint8Array> {
    for await (const slice of slicesOf(weight)) {
      checkWeight(slice, layout, weightName);
      scaleParts.push(scaleBytes(slice));
      if (slice.zeroPoints) zeroPointParts.push(packZeroPoints(slice.zeroPoints, slice.outFeatures, layout));
      yield packCodes(slice, layout);
    }
  }
  const add = (ending: string, dataType: number, dims: readonly number[], parts: AsyncIterable<Uint8Array>) =>
    store.addStream(names.take(`${weightName}_${ending}`), dataType, dims, parts);
  const codes = await add(`Q${containerBits}`, DataType.UINT8, codeDims, packed());
  const scaleType = weight.scaleType === 'float16' ? DataType.FLOAT16 : DataType.FLOAT;
  const scales = await add('scales', scaleType, [outFeatures, storedScales], inOrder(scaleParts));
  if (zeroPointParts.length === 0) return { layout, codes, scales, zeroPoints: null };
  const zeroPointBytes = zeroPointParts.reduce((sum, { length }) => sum + length, 0);
  const zeroPointDims = [outFeatures, zeroPointBytes / outFeatures];
  const zeroPoints = await add('zp', DataType.UINT8, zeroPointDims, inOrder(zeroPointParts));
  return { layout, codes, scales, zeroPoints };
}

async function* slicesOf(weight: QuantizedWeight | SlicedQuantized): AsyncGenerator<QuantizedWeight> {
  if ('slices' in weight) yield* weight.slices();
  else yield weight;
}

async function* inOrder(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

function scaleBytes({ scales, scaleType }: QuantizedWeight): Uint8Array {
  const values = scaleType === 'float16' ? Float16Array.from(scales) : scales;
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function packCodes(weight: QuantizedWeight, layout: ContainerLayout): Uint8Array {
  const { outFeatures, inFeatures, bits, codes, zeroPoints } = weight;
  const { containerBits, kernelBlock } = layout;
  const middle = 2 ** (containerBits - 1);
  return packBlocks(codes, {
    rows: outFeatures,
    columns: inFeatures,
    blockSize: kernelBlock,
    bits: containerBits,
    codeOffset: zeroPoints ? 0 : middle - 2 ** (bits - 1),
    padCode: zeroPoints ? lastColumn(zeroPoints, outFeatures) : middle,
  });
}

function packZeroPoints(zeroPoints: Uint8Array, outFeatures: number, layout: ContainerLayout): Uint8Array {
  const { containerBits, storedScales } = layout;
  if (storedScales > 1 || layout.blockCount === 1) {
    return packRows(zeroPoints, { rows: outFeatures, columns: storedScales, bits: containerBits });
  }
  // One byte an output, filled with its zero point, so that the graph can repeat bytes instead of codes.
  const repeats = { 2: 0b01010101, 4: 0b00010001, 8: 1 }[containerBits];
  return Uint8Array.from(zeroPoints, zeroPoint => zeroPoint * repeats);
}

function lastColumn(values: Uint8Array, rows: number): Uint8Array {
  const columns = values.length / rows;
  return Uint8Array.from({ length: rows }, (_, row) => values[(row + 1) * columns - 1]!);
}

function checkWeight(weight: QuantizedWeight, layout: ContainerLayout, weightName: string): void {
  const { outFeatures, inFeatures, groupSize, bits, codes, scales, zeroPoints } = weight;
  const { kernelBlock } = layout;
  if (kernelBlock < 16 || kernelBlock > 256 || (kernelBlock & (kernelBlock - 1)) !== 0) {
    const message = `Weight "${weightName}" has groups of ${groupSize}; the kernels take a power of two from 16 to 256, or per channel.`;
    throw new CompressionError('INVALID_OPTION', message, { weight: weightName, groupSize });
  }
  const groups = outFeatures * Math.ceil(inFeatures / groupSize);
  const wrong =
    codes.length !== outFeatures * inFeatures ||
    scales.length !== groups ||
    (zeroPoints !== null && zeroPoints.length !== groups) ||
    !fitsGrid(codes, bits) ||
    (zeroPoints !== null && !fitsGrid(zeroPoints, bits));
  if (!wrong) return;
  const message = `The compressed weight for "${weightName}" does not fit [${outFeatures}, ${inFeatures}] of ${bits} bits in groups of ${groupSize}: ${codes.length} codes, ${scales.length} scales.`;
  throw new CompressionError('INVALID_SHAPE', message, {
    weight: weightName,
    outFeatures,
    inFeatures,
    bits,
    groupSize,
  });
}

function fitsGrid(codes: Uint8Array, bits: number): boolean {
  let seen = 0;
  for (let index = 0; index < codes.length; index++) seen |= codes[index]!;
  return seen >>> bits === 0;
}
