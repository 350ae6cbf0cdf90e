import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { type NamedTensors, openForward, type PlainTensor, type SessionOptions } from '@quern/runtime';
import type { Feeds } from './openFeeds.ts';

/** How far one output of a compressed model lies from the original's. */
export interface OutputDifference {
  readonly name: string;
  /** ||after - before|| / ||before|| over all samples, Euclidean norms; null where the original gives zeros only. */
  readonly relativeDifference: number | null;
}

export interface ComparisonOptions extends SessionOptions {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

interface Sums {
  difference: number;
  norm: number;
}

/**
 * Runs every sample through two models and compares each numeric output.
 *
 * Errors: NON_FINITE_ACTIVATION naming an output and sample; INVALID_SHAPE when an output changes its shape; those of `openForward`.
 */
export async function compareOutputs(
  before: OnnxModel,
  after: OnnxModel,
  feeds: Feeds,
  options: ComparisonOptions,
): Promise<OutputDifference[]> {
  const names = (before.proto.graph?.output ?? []).map(output => output.name);
  const original = await openForward(before, options);
  try {
    const compressed = await openForward(after, options);
    try {
      const sums = new Map<string, Sums>();
      for (let sample = 0; sample < feeds.count; sample++) {
        if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted while comparing outputs.');
        const tensors = await feeds.read(sample);
        const wanted = await original.run({ kind: 'tensors', tensors }, {}, names);
        const actual = await compressed.run({ kind: 'tensors', tensors }, {}, names);
        addSample(sums, wanted, actual, sample);
        options.onProgress?.(sample + 1, feeds.count);
      }
      return [...sums].map(([name, { difference, norm }]) => ({
        name,
        relativeDifference: norm > 0 ? Math.sqrt(difference / norm) : difference > 0 ? null : 0,
      }));
    } finally {
      await compressed.close();
    }
  } finally {
    await original.close();
  }
}

function addSample(sums: Map<string, Sums>, wanted: NamedTensors, actual: NamedTensors, sample: number): void {
  for (const [name, expected] of Object.entries(wanted)) {
    const before = toNumbers(expected);
    const after = toNumbers(actual[name]!);
    if (before === null || after === null) continue; // strings
    if (before.length !== after.length) {
      const shapes = `[${expected.dims.join(', ')}] and [${actual[name]!.dims.join(', ')}]`;
      const message = `Output "${name}" has the shapes ${shapes} before and after on sample ${sample + 1}: compare --feeds on which it is fixed.`;
      throw new CompressionError('INVALID_SHAPE', message, { name, sample });
    }
    const sum = sums.get(name) ?? { difference: 0, norm: 0 };
    for (let index = 0; index < before.length; index++) {
      sum.difference += (after[index]! - before[index]!) ** 2;
      sum.norm += before[index]! ** 2;
    }
    if (!Number.isFinite(sum.difference) || !Number.isFinite(sum.norm)) {
      throw new CompressionError(
        'NON_FINITE_ACTIVATION',
        `Output "${name}" is not finite on sample ${sample + 1}: the model overflows on this input.`,
        { name, sample },
      );
    }
    sums.set(name, sum);
  }
}

/** Elements as plain numbers; null for strings. */
function toNumbers({ type, data }: PlainTensor): ArrayLike<number> | null {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (type === 'float16' && data instanceof Uint16Array) {
    return new Float16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
  }
  return ArrayBuffer.isView(data) ? data : null;
}
