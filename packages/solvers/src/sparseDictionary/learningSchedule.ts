import type { SweepPlan, SweepStep } from '@quern/linalg';
import { hasSettled } from './hasSettled.ts';
import { growingSweeps, shareAfter } from './shareAfter.ts';

/** What changes from sweep to sweep. */
export interface ScheduleSettings {
  readonly sweeps: number;
  /** Of all nonzeros, in the end. */
  readonly nonzeroCount: number;
  /** Places for them. */
  readonly placeCount: number;
  readonly firstShare: number;
  readonly proximity: readonly [first: number, last: number];
}

/** How a code is learnt over its sweeps. */
export interface LearningSchedule extends Pick<SweepPlan, 'steps' | 'hasSettled'> {
  /** Nonzeros before a sweep. */
  readonly countAt: (sweep: number) => number;
  readonly proximityAt: (sweep: number) => number;
}

/** `steps` are all sweeps but the last, which is always done in exact arithmetic: exactly as many values stay. */
export function learningSchedule(settings: ScheduleSettings): LearningSchedule {
  const { sweeps, nonzeroCount, placeCount, firstShare } = settings;
  const [nearest, farthest] = settings.proximity;
  const countAt = (sweep: number): number =>
    Math.min(placeCount, Math.round(shareAfter(sweep, sweeps, firstShare) * nonzeroCount));
  const proximityAt = (sweep: number): number => nearest * (farthest / nearest) ** (sweep / sweeps);
  const steps: SweepStep[] = [];
  for (let sweep = 0; sweep < sweeps - 1; sweep++) {
    steps.push({ proximity: proximityAt(sweep), count: countAt(sweep + 1) });
  }
  return { steps, countAt, proximityAt, hasSettled: objectives => hasSettled(objectives, growingSweeps(sweeps)) };
}
