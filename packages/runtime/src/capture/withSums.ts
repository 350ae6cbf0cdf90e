import { DataType, int64Initializer, type NodeProto, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { extendGraph } from '../extendGraph.ts';
import type { NamedTensors } from './plainTensor.ts';

/** What one run of a graph of `withSums` tells of an activation. */
export interface RunSums {
  /** x^T x, `[inFeatures, inFeatures]`, single precision. */
  readonly gram: Float32Array;
  /** Sum of |x|, `[inFeatures]`. */
  readonly absolute: Float32Array;
  readonly tokenCount: number;
}

const FLAT_SHAPE = 'quern.flat_shape';
const FIRST_AXIS = 'quern.first_axis';
const outputsOf = (name: string) =>
  ({ gram: `${name}.quern.gram`, absolute: `${name}.quern.absolute`, shape: `${name}.quern.shape` }) as const;

/**
 * A copy of the header that returns, in place of its outputs, what statistics need of some activations: on an accelerator the
 * activations then never leave it, and the products are its own.
 *
 * `widths`: inFeatures by activation name. Cost: a product of tokens x inFeatures^2 multiply-adds an activation and run.
 */
export function withSums(model: OnnxModel, widths: ReadonlyMap<string, number>): OnnxModel {
  const opset = Number(
    model.proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
  );
  const names = [...widths.keys()];
  return extendGraph(model, {
    initializers: [
      ...[...widths].map(([name, inFeatures]) => int64Initializer(`${name}.${FLAT_SHAPE}`, [-1, inFeatures])),
      int64Initializer(FIRST_AXIS, [0]),
    ],
    nodes: names.flatMap(name => sumNodes(name, opset)),
    outputs: [...widths].flatMap(([name, inFeatures]) => {
      const { gram, absolute, shape } = outputsOf(name);
      return [
        tensorInput(gram, DataType.FLOAT, [inFeatures, inFeatures]),
        tensorInput(absolute, DataType.FLOAT, [inFeatures]),
        tensorInput(shape, DataType.INT64, [2]),
      ];
    }),
  });
}

/** Names of the outputs that `withSums` adds, for `Forward.run`. */
export function sumOutputs(widths: ReadonlyMap<string, number>): string[] {
  return [...widths.keys()].flatMap(name => Object.values(outputsOf(name)));
}

/** The outputs of a run, by activation. */
export function readSums(outputs: NamedTensors, widths: ReadonlyMap<string, number>): ReadonlyMap<string, RunSums> {
  return new Map(
    [...widths.keys()].map(name => {
      const { gram, absolute, shape } = outputsOf(name);
      const sums = {
        gram: outputs[gram]!.data as Float32Array,
        absolute: outputs[absolute]!.data as Float32Array,
        tokenCount: Number((outputs[shape]!.data as BigInt64Array)[0]),
      };
      return [name, sums];
    }),
  );
}

function sumNodes(name: string, opset: number): NodeProto[] {
  const { gram, absolute, shape } = outputsOf(name);
  const [flat, float, size] = [`${name}.quern.flat`, `${name}.quern.float`, `${name}.quern.abs`];
  const keepdims = { int: 0 };
  return [
    node('Reshape', [name, `${name}.${FLAT_SHAPE}`], [flat]),
    node('Cast', [flat], [float], { attributes: { to: { int: DataType.FLOAT } } }),
    node('Gemm', [float, float], [gram], { attributes: { transA: { int: 1 } } }),
    node('Abs', [float], [size]),
    // The axes became an input in operator set 13.
    opset < 13
      ? node('ReduceSum', [size], [absolute], { attributes: { axes: { ints: [0] }, keepdims } })
      : node('ReduceSum', [size, FIRST_AXIS], [absolute], { attributes: { keepdims } }),
    node('Shape', [flat], [shape]),
  ];
}
