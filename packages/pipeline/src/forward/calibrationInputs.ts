import type { Device, ForwardInput, NamedTensors } from '@quern/runtime';
import type { RunnableMaterial } from '../open/material.ts';

/** The inputs of calibration, run by run. */
export interface CalibrationInputs {
  readonly runCount: number;
  /** Runs whose Gram is summed in single precision before it is added in double. */
  readonly runsPerSum: number;
  /** Runs are large enough for the graph to return their Grams in place of activations, on an accelerator. */
  readonly sumsInGraph?: boolean;
  read(run: number): Promise<ForwardInput>;
  /** Inputs beside those that a text or a sample gives. */
  others?(run: number): NamedTensors;
}

/** Windows, or samples, whose Gram is summed in single precision. */
const SUM_SIZE = 8;

/** Tokens that go through a block at once, unless one window is longer: an interruption waits for a run to end. */
const RUN_TOKENS = 512;

/** The same on an accelerator, where a run also brings a Gram back. */
const DEVICE_RUN_TOKENS = 8192;

/**
 * Texts go through the model a few windows at once, samples one by one: their first axis need not be a batch. Either way
 * eight of them, in order, are one sum.
 */
export function calibrationInputs(material: RunnableMaterial, device: Device): CalibrationInputs {
  if (material.kind === 'feeds') {
    const { feeds } = material;
    const read = async (run: number) => ({ kind: 'tensors' as const, tensors: await feeds.read(run) });
    return { runCount: feeds.count, runsPerSum: SUM_SIZE, read };
  }
  const { windows, windowLength } = material.text;
  const limit = device === 'cpu' ? RUN_TOKENS : DEVICE_RUN_TOKENS;
  // The largest divisor of a sum that fits.
  const size = [8, 4, 2].find(count => count * windowLength <= limit) ?? 1;
  const idsOf = (run: number) => windows.slice(run * size, (run + 1) * size).map(window => window.ids);
  return {
    runCount: Math.ceil(windows.length / size),
    runsPerSum: SUM_SIZE / size,
    sumsInGraph: device !== 'cpu',
    read: async run => ({ kind: 'text', ids: idsOf(run) }),
  };
}
