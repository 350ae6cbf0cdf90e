import type { BlockCut } from '@quern/onnx';
import type { SitePlan } from './sitePlan.ts';

/** One turn of a loop over the blocks: the plans of a block and where the block begins and ends. */
export interface Segment {
  readonly index: number;
  readonly block: number | null;
  readonly cut: BlockCut | null;
  readonly plans: readonly SitePlan[];
}

/** With cuts, one segment a block, also for blocks with nothing to solve: hidden states must pass through them. */
export function splitSegments(plans: readonly SitePlan[], cuts: readonly BlockCut[] | null): Segment[] {
  const byBlock = Map.groupBy(plans, plan => plan.site.block);
  if (cuts === null) return [...byBlock].map(([block, own], index) => ({ index, block, cut: null, plans: own }));
  const segments: Segment[] = cuts.map((cut, index) => ({
    index,
    block: cut.block,
    cut,
    plans: byBlock.get(cut.block) ?? [],
  }));
  const beside = byBlock.get(null) ?? [];
  if (beside.length === 0) return segments;
  // The head reads what leaves the last block.
  const last = cuts.at(-1)!;
  const cut = { block: last.block + 1, inputNames: last.outputNames, outputNames: [] };
  return [...segments, { index: cuts.length, block: null, cut, plans: beside }];
}
