import type { ForwardInput } from '@quern/runtime';
import type { Material } from '../open/material.ts';

/** The inputs of calibration, run by run. */
export interface CalibrationInputs {
  readonly runCount: number;
  /** Runs whose Gram is summed in single precision before it is added in double. */
  readonly runsPerSum: number;
  read(run: number): Promise<ForwardInput>;
}

/** Windows, or samples, whose Gram is summed in single precision. */
const SUM_SIZE = 8;

/**
 * Texts go through the model eight windows at once, samples one by one: their first axis need not be a batch. Either way
 * eight of them, in order, are one sum.
 */
export function calibrationInputs(material: Material): CalibrationInputs {
  if (material.kind === 'feeds') {
    const { feeds } = material;
    const read = async (run: number) => ({ kind: 'tensors' as const, tensors: await feeds.read(run) });
    return { runCount: feeds.count, runsPerSum: SUM_SIZE, read };
  }
  const { windows } = material.text;
  const idsOf = (run: number) => windows.slice(run * SUM_SIZE, (run + 1) * SUM_SIZE).map(window => window.ids);
  return {
    runCount: Math.ceil(windows.length / SUM_SIZE),
    runsPerSum: 1,
    read: async run => ({ kind: 'text', ids: idsOf(run) }),
  };
}
