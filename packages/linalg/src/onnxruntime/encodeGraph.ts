/** A node of a graph: attributes are whole numbers, unless written as `{ float }`. */
export interface GraphNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | { readonly float: number }>>;
}

/** A float tensor that is input or output, with the names of its sizes. */
export interface GraphValue {
  readonly name: string;
  readonly dimensions: readonly string[];
}

/** A graph over tensors of one type. */
export interface Graph {
  readonly name: string;
  readonly precision: 'float32' | 'float64';
  readonly opset: number;
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Whole numbers in one dimension, by name: axes, counts. */
  readonly wholeNumbers?: Readonly<Record<string, readonly number[]>>;
  /** Numbers of the graph's type without dimensions, by name. */
  readonly scalars?: Readonly<Record<string, number>>;
}

// ONNX: numbers of the fields and of the types, from onnx.proto.
const FLOAT = 1;
const INT64 = 7;
const DOUBLE = 11;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const IR_VERSION = 8;

/** An ONNX model as protobuf bytes, written by hand because linalg stands below the package that knows ONNX files. */
export function encodeGraph({ name, precision, opset, nodes, inputs, outputs, ...constants }: Graph): Uint8Array {
  const type = precision === 'float32' ? FLOAT : DOUBLE;
  const graph = [
    ...nodes.flatMap(node => bytes(1, encodeNode(node))),
    ...text(2, name),
    ...Object.entries(constants.wholeNumbers ?? {}).flatMap(([constant, values]) =>
      bytes(5, tensor(constant, INT64, [values.length], BigInt64Array.from(values, BigInt))),
    ),
    ...Object.entries(constants.scalars ?? {}).flatMap(([constant, value]) =>
      bytes(5, tensor(constant, type, [], (type === FLOAT ? Float32Array : Float64Array).of(value))),
    ),
    ...inputs.flatMap(value => bytes(11, valueInfo(value, type))),
    ...outputs.flatMap(value => bytes(12, valueInfo(value, type))),
  ];
  const operators = bytes(8, [...text(1, ''), ...varint(2, opset)]);
  return Uint8Array.from([...varint(1, IR_VERSION), ...bytes(7, graph), ...operators]);
}

function encodeNode({ opType, inputs, outputs, attributes = {} }: GraphNode): number[] {
  return [
    ...inputs.flatMap(input => text(1, input)),
    ...outputs.flatMap(output => text(2, output)),
    ...text(4, opType),
    ...Object.entries(attributes).flatMap(([key, value]) =>
      bytes(
        5,
        typeof value === 'number'
          ? [...text(1, key), ...varint(3, value), ...varint(20, ATTRIBUTE_INT)]
          : [...text(1, key), ...float(2, value.float), ...varint(20, ATTRIBUTE_FLOAT)],
      ),
    ),
  ];
}

function tensor(
  name: string,
  type: number,
  dims: readonly number[],
  data: BigInt64Array | Float32Array | Float64Array,
): number[] {
  const raw = [...new Uint8Array(data.buffer)];
  return [...dims.flatMap(size => varint(1, size)), ...varint(2, type), ...text(8, name), ...bytes(9, raw)];
}

function valueInfo({ name, dimensions }: GraphValue, type: number): number[] {
  const shape = dimensions.flatMap(dimension => bytes(1, text(2, dimension)));
  return [...text(1, name), ...bytes(2, bytes(1, [...varint(1, type), ...bytes(2, shape)]))];
}

function varint(field: number, value: number): number[] {
  return [...unsigned(field << 3), ...(value < 0 ? negative(value) : unsigned(value))];
}

function float(field: number, value: number): number[] {
  return [...unsigned((field << 3) | 5), ...new Uint8Array(Float32Array.of(value).buffer)];
}

function text(field: number, value: string): number[] {
  return bytes(field, [...new TextEncoder().encode(value)]);
}

function bytes(field: number, content: readonly number[]): number[] {
  return [...unsigned((field << 3) | 2), ...unsigned(content.length), ...content];
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** As protobuf has it: ten bytes of two's complement in 64 bits. */
function negative(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const written: number[] = [];
  for (let index = 0; index < 10; index++, rest >>= 7n) written.push(Number(rest & 127n) | (index < 9 ? 128 : 0));
  return written;
}
