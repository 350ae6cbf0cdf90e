import type { ForwardInput, NamedTensors } from '@quern/runtime';
import type { RunnableMaterial } from '../open/material.ts';

/** The inputs of calibration, run by run. */
export interface CalibrationInputs {
  readonly runCount: number;
  /** Runs whose Gram is summed in single precision before it is added in double. */
  readonly runsPerSum: number;
  read(run: number): Promise<ForwardInput>;
  /** Inputs beside those that a text or a sample gives. */
  others?(run: number): NamedTensors;
}

/** Windows, or samples, whose Gram is summed in single precision. */
const SUM_SIZE = 8;

/** Tokens that go through a block at once, unless one window is longer: an interruption waits for a run to end. */
const RUN_TOKENS = 512;

/**
 * Texts go through the model a few windows at once, samples one by one: their first axis need not be a batch. Either way
 * eight of them, in order, are one sum.
 */
export function calibrationInputs(material: RunnableMaterial): CalibrationInputs {
  if (material.kind === 'feeds') {
    const { feeds } = material;
    const read = async (run: number) => ({ kind: 'tensors' as const, tensors: await feeds.read(run) });
    return { runCount: feeds.count, runsPerSum: SUM_SIZE, read };
  }
  const { windows, windowLength } = material.text;
  // The largest divisor of a sum that fits.
  const size = [8, 4, 2].find(count => count * windowLength <= RUN_TOKENS) ?? 1;
  const idsOf = (run: number) => windows.slice(run * size, (run + 1) * size).map(window => window.ids);
  return {
    runCount: Math.ceil(windows.length / size),
    runsPerSum: SUM_SIZE / size,
    read: async run => ({ kind: 'text', ids: idsOf(run) }),
  };
}
