/** What one Gemm session computes: output = alpha op(A) op(B) + beta output. */
export interface GemmVariant {
  readonly precision: 'float32' | 'float64';
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  /** 0: there is no third input. */
  readonly beta: number;
}

// ONNX: numbers of the fields and of the types, from onnx.proto.
const FLOAT = 1;
const DOUBLE = 11;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;

/**
 * An ONNX model of one Gemm node with symbolic sizes, as protobuf bytes: inputs `a`, `b` and, where beta is not 0, `c`;
 * output `y`. Opset 13. Written by hand because linalg stands below the package that knows ONNX files.
 */
export function encodeGemmModel(variant: GemmVariant): Uint8Array {
  const type = variant.precision === 'float32' ? FLOAT : DOUBLE;
  const a = valueInfo('a', type, variant.transposeA ? ['k', 'm'] : ['m', 'k']);
  const b = valueInfo('b', type, variant.transposeB ? ['n', 'k'] : ['k', 'n']);
  const c = valueInfo('c', type, ['m', 'n']);
  const y = valueInfo('y', type, ['m', 'n']);
  const inputs = variant.beta === 0 ? ['a', 'b'] : ['a', 'b', 'c'];
  const node = [
    ...inputs.flatMap(name => text(1, name)),
    ...text(2, 'y'),
    ...text(4, 'Gemm'),
    ...bytes(5, [...text(1, 'alpha'), ...float(2, variant.alpha), ...varint(20, ATTRIBUTE_FLOAT)]),
    ...bytes(5, [...text(1, 'beta'), ...float(2, variant.beta), ...varint(20, ATTRIBUTE_FLOAT)]),
    ...bytes(5, [...text(1, 'transA'), ...varint(3, Number(variant.transposeA)), ...varint(20, ATTRIBUTE_INT)]),
    ...bytes(5, [...text(1, 'transB'), ...varint(3, Number(variant.transposeB)), ...varint(20, ATTRIBUTE_INT)]),
  ];
  const graph = [
    ...bytes(1, node),
    ...text(2, 'gemm'),
    ...bytes(11, a),
    ...bytes(11, b),
    ...(variant.beta === 0 ? [] : bytes(11, c)),
    ...bytes(12, y),
  ];
  return Uint8Array.from([...varint(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ''), ...varint(2, 13)])]);
}

function valueInfo(name: string, type: number, dimensions: readonly string[]): number[] {
  const shape = dimensions.flatMap(dimension => bytes(1, text(2, dimension)));
  return [...text(1, name), ...bytes(2, bytes(1, [...varint(1, type), ...bytes(2, shape)]))];
}

function varint(field: number, value: number): number[] {
  return [...unsigned(field << 3), ...unsigned(value)];
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
