import type { TokenWindow } from '@quern/core';
import { calibrationGaps } from './statistics/calibrationGaps.ts';
import type { ModelScores, WindowScores } from './windowScores.ts';

/** Scores of windows before anything was scored. */
export function emptyScores(windows: readonly TokenWindow[], compares: boolean): WindowScores {
  const count = windows.length;
  const tokenCounts = Int32Array.from(windows, ({ ids, firstScored }) => Math.max(0, ids.length - firstScored));
  const model = emptyModel(count);
  if (!compares) return { ...model, tokenCounts };
  const baseline = {
    ...emptyModel(count),
    klDivergence: new Float64Array(count),
    tokenDivergences: new Float32Array(tokenCounts.reduce((sum, tokens) => sum + tokens, 0)),
    topAgreements: new Int32Array(count),
    topFiveAgreements: new Int32Array(count),
    lost: new Int32Array(count),
    gained: new Int32Array(count),
  };
  return { ...model, tokenCounts, baseline };
}

function emptyModel(count: number): ModelScores {
  return { nll: new Float64Array(count), right: new Int32Array(count), gaps: calibrationGaps(count) };
}
