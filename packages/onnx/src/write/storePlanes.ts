import { narrowestPlanes, packPlanes, planeBytes } from '@quern/coder';
import { CompressionError } from '@quern/core';
import { inlineInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { readTensor } from '../read/readTensor.ts';
import { tensorSize } from '../read/tensorSize.ts';
import { findStoredCodes, type StoredCodes } from '../sites/findStoredCodes.ts';
import { type FreshNames, freshNames, standardOpset } from './graphEdit.ts';
import type { WeightStore } from './weightStore.ts';

/** Below this many bytes the nodes take more than the planes save. */
const SMALLEST_BYTES = 1024;

/**
 * Stores codes that are narrower than their container as bit planes (3 bits as 2 + 1, 7 as 4 + 2 + 1), and adds the standard
 * operators that put them together; a session folds these once at load, and the kernels then read what they always read.
 *
 * A byte of a plane is looked up in a table of the container bytes that it contributes to; the contributions are added. Other
 * tensors stay where they are: follow with `copyRemaining`.
 *
 * @returns the bytes that each replaced tensor takes now, by its name.
 * @throws CompressionError UNSUPPORTED_MODEL for a graph older than opset 14, which cannot add bytes; otherwise as `readTensor`
 *   and the store.
 * Cost: one tensor in memory, as container and as planes. At load about eight times the container bytes of one tensor.
 */
export async function storePlanes(model: OnnxModel, store: WeightStore): Promise<Map<string, number>> {
  const names = freshNames(model);
  const tables = new Map<string, TensorProto>();
  const sizes = new Map<string, number>();
  for (const codes of findStoredCodes(model)) {
    const { tensor, scope, role } = codes;
    if (role !== 'codes' || (tensorSize(tensor).byteCount ?? 0) < SMALLEST_BYTES) continue;
    const planes = await planesOf(model, codes);
    if (planes === null) continue;
    requireByteSums(model);
    const piece = await unpackingNodes(codes, planes, { names, store, tables, main: model.proto.graph!.initializer });
    scope.graph.initializer = [...scope.graph.initializer.filter(other => other !== tensor), ...piece.initializers];
    scope.graph.node.unshift(...piece.nodes);
    sizes.set(tensor.name, planes.bytes.length);
  }
  return sizes;
}

interface Planes {
  readonly widths: readonly number[];
  /** All planes, one after the other, padding included. */
  readonly bytes: Uint8Array;
  /** Added to every code. */
  readonly lowest: number;
  readonly codeCount: number;
}

/** Null when planes save nothing. */
async function planesOf(model: OnnxModel, { tensor, layout }: StoredCodes): Promise<Planes | null> {
  const { bytes } = await readTensor(model, tensor);
  // Padding is stored like everything else, so that planes fill whole bytes of every block.
  const columns = (bytes.length * 8) / layout.bits / layout.rows;
  const padded = { ...layout, columns, padCode: 0 };
  const width = narrowestPlanes(bytes, padded);
  if (planeBytes(padded, width) - 1 >= bytes.length) return null;
  const packed = packPlanes(bytes, padded, width);
  const widths = [8, 4, 2, 1].filter(plane => (width & plane) !== 0);
  return { widths, bytes: packed.subarray(1), lowest: packed[0]!, codeCount: layout.rows * columns };
}

interface PlanePlace {
  readonly names: FreshNames;
  readonly store: WeightStore;
  /** Tables made so far, by what they hold; they stand in the main graph. */
  readonly tables: Map<string, TensorProto>;
  readonly main: TensorProto[];
}

async function unpackingNodes(
  { tensor, layout }: StoredCodes,
  planes: Planes,
  place: PlanePlace,
): Promise<{ nodes: NodeProto[]; initializers: TensorProto[] }> {
  const { names, store } = place;
  const { widths, bytes, lowest, codeCount } = planes;
  const shape = int64Initializer(names.take(`${tensor.name}_shape`), tensor.dims.map(Number));
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [shape];
  let sum = '';
  let start = 0;
  let shift = 0;
  for (const [position, width] of widths.entries()) {
    const length = Math.ceil((codeCount * width) / 8);
    const isLast = position === widths.length - 1;
    const table = contributionTable(place, { width, shift, lowest: position === 0 ? lowest : 0, bits: layout.bits });
    const plane = await store.add(
      names.take(`${tensor.name}_plane${position}`),
      DataType.UINT8,
      [length],
      bytes.subarray(start, start + length),
    );
    initializers.push(plane);
    const take = (suffix: string): string => names.take(`${plane.name}_${suffix}`);
    const [indices, bytesOf, shaped] = [take('indices'), take('bytes'), take('shaped')];
    const total = isLast ? tensor.name : take('sum');
    const attributes = { to: { int: DataType.INT32 } };
    nodes.push(
      node('Cast', [plane.name], [indices], { name: `${indices}/Cast`, attributes }),
      node('Gather', [table.name, indices], [bytesOf], { name: `${bytesOf}/Gather` }),
    );
    if (position === 0) {
      nodes.push(node('Reshape', [bytesOf, shape.name], [isLast ? total : shaped], { name: `${shaped}/Reshape` }));
      sum = shaped;
    } else {
      nodes.push(
        node('Reshape', [bytesOf, shape.name], [shaped], { name: `${shaped}/Reshape` }),
        node('Add', [sum, shaped], [total], { name: `${total}/Add` }),
      );
      sum = total;
    }
    start += length;
    shift += width;
  }
  return { nodes, initializers };
}

interface Contribution {
  readonly width: number;
  readonly shift: number;
  readonly lowest: number;
  /** Of the container. */
  readonly bits: number;
}

/** `[256, container bytes]`: what each byte of a plane adds to the container. Made once for all tensors that need the same. */
function contributionTable(place: PlanePlace, { width, shift, lowest, bits }: Contribution): TensorProto {
  const key = `${width}-${shift}-${lowest}-${bits}`;
  const known = place.tables.get(key);
  if (known) return known;
  const codesPerByte = 8 / width;
  const bytesPerEntry = bits / width;
  const table = new Uint8Array(256 * bytesPerEntry);
  for (let value = 0; value < 256; value++) {
    for (let code = 0; code < codesPerByte; code++) {
      const contribution = (((value >> (code * width)) & (2 ** width - 1)) << shift) + lowest;
      const bit = code * bits;
      table[value * bytesPerEntry + (bit >> 3)]! |= contribution << (bit & 7);
    }
  }
  const name = place.names.take(`plane_table_${key}`);
  const tensor = inlineInitializer(name, DataType.UINT8, [256, bytesPerEntry], table);
  place.tables.set(key, tensor);
  place.main.push(tensor);
  return tensor;
}

function requireByteSums(model: OnnxModel): void {
  const opset = standardOpset(model.proto);
  if (opset >= 14) return;
  const message = `Bit planes are added by operators of opset 14; the model has ${opset}. Use --storage container or packed.`;
  throw new CompressionError('UNSUPPORTED_MODEL', message, { opset, limit: 14 });
}
