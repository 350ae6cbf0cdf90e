import type { BlockCut } from '@quern/onnx';
import { advanceBlock, type ForwardContext, startForward } from './blockForward.ts';

/**
 * Hidden states that follow the loop over the blocks: the function returned moves them to the input of the block at `index`
 * of `cuts`, through the blocks before it as they stand in the model at that moment. Nothing is run before it is needed.
 */
export function followBlocks(context: ForwardContext, cuts: readonly BlockCut[]): (index: number) => Promise<void> {
  let reached: number | null = null;
  return async index => {
    if (reached === null) await startForward(context, cuts[0]!);
    for (reached ??= 0; reached < index; reached++) await advanceBlock(context, cuts[reached]!);
  };
}
