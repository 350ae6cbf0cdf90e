import type { GridRule } from './grid.ts';

/** The grids of a whole weight while a solver fills them in. */
export interface GroupGrids {
  readonly rule: GridRule;
  /** Inputs per group; the last group may be shorter. */
  readonly groupSize: number;
  readonly groupCount: number;
  /** `[outFeatures, groupCount]`. */
  readonly scales: Float32Array;
  /** `[outFeatures, groupCount]`; null when symmetric. */
  readonly zeroPoints: Uint8Array | null;
}

/** Room for the grids of `outFeatures` x `inFeatures` weights. */
export function createGroupGrids(
  outFeatures: number,
  inFeatures: number,
  groupSize: number,
  rule: GridRule,
): GroupGrids {
  const groupCount = Math.ceil(inFeatures / groupSize);
  const scales = new Float32Array(outFeatures * groupCount);
  const zeroPoints = rule.symmetric ? null : new Uint8Array(outFeatures * groupCount);
  return { rule, groupSize, groupCount, scales, zeroPoints };
}
