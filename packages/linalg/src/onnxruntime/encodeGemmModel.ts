import { encodeGraph } from './encodeGraph.ts';

/** What one Gemm session computes: output = alpha op(A) op(B) + beta output. */
export interface GemmVariant {
  readonly precision: 'float32' | 'float64';
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  /** 0: there is no third input. */
  readonly beta: number;
}

/** An ONNX model of one Gemm node with symbolic sizes: inputs `a`, `b` and, where beta is not 0, `c`; output `y`. */
export function encodeGemmModel({ precision, transposeA, transposeB, alpha, beta }: GemmVariant): Uint8Array {
  const a = { name: 'a', dimensions: transposeA ? ['k', 'm'] : ['m', 'k'] };
  const b = { name: 'b', dimensions: transposeB ? ['n', 'k'] : ['k', 'n'] };
  const inputs = beta === 0 ? [a, b] : [a, b, { name: 'c', dimensions: ['m', 'n'] }];
  const attributes = {
    alpha: { float: alpha },
    beta: { float: beta },
    transA: Number(transposeA),
    transB: Number(transposeB),
  };
  return encodeGraph({
    name: 'gemm',
    precision,
    opset: 13,
    nodes: [{ opType: 'Gemm', inputs: inputs.map(({ name }) => name), outputs: ['y'], attributes }],
    inputs,
    outputs: [{ name: 'y', dimensions: ['m', 'n'] }],
  });
}
