import type { ModelLosses } from '@quern/evaluator';
import {
  createModel,
  DataType,
  int64Initializer,
  node,
  type OnnxModel,
  type PlainHead,
  readFloats,
  sliceRows,
  tensorInput,
} from '@quern/onnx';
import { type Device, type NamedTensors, openForward, type PlainTensor } from '@quern/runtime';
import { listenForInterrupt } from '../interruption.ts';

/** What a head is asked for: activations `[..., hiddenSize]` and as many targets, run by run. */
export interface HeadRuns {
  readonly runCount: number;
  activations(run: number): Promise<PlainTensor>;
  targets(run: number): Int32Array;
  readonly device: Device;
  readonly threads?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Bytes of the head, in float32, that are in memory at once; 64 MB unless given. */
  readonly sliceBytes?: number | undefined;
  readonly onSlice?: (done: number, total: number) => void;
}

const SLICE_BYTES = 64e6;

/** ln of the sum of e^logit over the vocabulary seen so far, as maximum and sum, and the target's logit; one entry a token. */
interface Running {
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly target: Float64Array;
}

/**
 * -ln p of each run's targets and ln p of the most likely tokens, with the head read a slice of the vocabulary at a time: ln p = target's logit - ln sum e^logit, the
 * sum carried from slice to slice with its maximum taken out (Milakov and Gimelshein 2018, online softmax), in float64.
 *
 * Cost: the head's multiply-adds; the head is read once, activations once a slice; memory for a slice.
 */
export async function scoreHeadInSlices(
  model: OnnxModel,
  { tensor }: PlainHead,
  runs: HeadRuns,
): Promise<ModelLosses[]> {
  const [vocabularySize, hiddenSize] = tensor.dims.map(Number) as [number, number];
  const { device, threads, signal, runCount } = runs;
  const session = await openForward(sliceGraph(hiddenSize), { device, ...(threads === undefined ? {} : { threads }) });
  const running = Array.from({ length: runCount }, (_, run) => emptyRunning(runs.targets(run).length));
  const rowsPerSlice = Math.max(1, Math.floor((runs.sliceBytes ?? SLICE_BYTES) / (4 * hiddenSize)));
  const sliceCount = Math.ceil(vocabularySize / rowsPerSlice);
  try {
    for (let slice = 0; slice < sliceCount; slice++) {
      const start = slice * rowsPerSlice;
      const rows = Math.min(rowsPerSlice, vocabularySize - start);
      const data = await readFloats(model, sliceRows(tensor, start, start + rows));
      const weight: PlainTensor = { type: 'float32', dims: [rows, hiddenSize], data };
      for (let run = 0; run < runCount; run++) {
        await listenForInterrupt(signal);
        const targets = runs.targets(run).map(target => target - start);
        const activations = await runs.activations(run);
        const tensors = {
          x: { ...activations, dims: [targets.length, hiddenSize] },
          weight,
          targets: {
            type: 'int32' as const,
            dims: [targets.length, 1],
            data: targets.map(t => Math.min(Math.max(t, 0), rows - 1)),
          },
        };
        const outputs = await session.run({ kind: 'tensors', tensors }, {}, ['max', 'sum', 'target']);
        addSlice(running[run]!, outputs, targets, rows);
      }
      runs.onSlice?.(slice + 1, sliceCount);
    }
  } finally {
    await session.close();
  }
  return running.map(toLosses);
}

function sliceGraph(hiddenSize: number): OnnxModel {
  const column = ['tokens', 1];
  return createModel({
    folder: '.',
    inputs: [
      tensorInput('x', DataType.FLOAT, ['tokens', hiddenSize]),
      tensorInput('weight', DataType.FLOAT, ['vocabulary', hiddenSize]),
      tensorInput('targets', DataType.INT32, column),
    ],
    outputs: ['max', 'sum', 'target'].map(name => tensorInput(name, DataType.FLOAT, column)),
    initializers: [int64Initializer('last_axis', [-1])],
    nodes: [
      node('Gemm', ['x', 'weight'], ['logits'], { attributes: { transB: { int: 1 } } }),
      node('ReduceMax', ['logits', 'last_axis'], ['max']),
      node('Sub', ['logits', 'max'], ['shifted']),
      node('Exp', ['shifted'], ['powers']),
      node('ReduceSum', ['powers', 'last_axis'], ['sum']),
      node('GatherElements', ['logits', 'targets'], ['target'], { attributes: { axis: { int: -1 } } }),
    ],
  });
}

function emptyRunning(count: number): Running {
  return {
    max: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    sum: new Float64Array(count),
    target: new Float64Array(count),
  };
}

function addSlice(running: Running, outputs: NamedTensors, targets: Int32Array, rows: number): void {
  const [max, sum, target] = ['max', 'sum', 'target'].map(name => outputs[name]!.data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let at = 0; at < targets.length; at++) {
    const before = running.max[at]!;
    const after = Math.max(before, max[at]!);
    running.sum[at] = running.sum[at]! * Math.exp(before - after) + sum[at]! * Math.exp(max[at]! - after);
    running.max[at] = after;
    if (targets[at]! >= 0 && targets[at]! < rows) running.target[at] = target[at]!;
  }
}

/** A target that is the most likely token gets the same number twice. */
function toLosses({ max, sum, target }: Running): ModelLosses {
  const total = max.map((largest, at) => largest + Math.log(sum[at]!));
  return {
    nll: Float32Array.from(target, (logit, at) => total[at]! - logit),
    logConfidence: Float32Array.from(max, (logit, at) => logit - total[at]!),
  };
}
