import type { Recipe } from '../recipe.ts';
import type { StudyGrid } from './studyGrid.ts';
import type { StudyTests } from './testStudy.ts';

/** What one model said of every text and task of a study. */
export interface StudyScores {
  /** By text, then window: sums of -ln p over its scored tokens, nats. */
  readonly texts: readonly (readonly number[])[];
  /** By task, then item: 1 for a right answer, by characters where answers have their own length. */
  readonly tasks: readonly (readonly number[])[];
}

export interface StudyCell {
  readonly method: string;
  readonly bits: number;
  /** Null where the method reads no activations. */
  readonly calibration: string | null;
  readonly storedBytes: number;
  readonly bitsPerWeight: number;
  /** Null where the method fails on this model. */
  readonly scores: StudyScores | null;
  readonly failure: string | null;
}

/** Everything that a study found and was made of; no clock, no path of this machine. */
export interface Study {
  readonly version: string;
  readonly model: { readonly path: string; readonly sha256: readonly string[] };
  readonly grid: StudyGrid;
  /** What all cells share. */
  readonly recipe: Recipe;
  readonly calibrations: readonly {
    readonly data: string;
    readonly windows: number;
    readonly windowLength: number;
    readonly sha256: string;
  }[];
  readonly texts: readonly {
    readonly data: string;
    readonly sha256: string;
    readonly windowLength: number;
    readonly stride: number;
    /** Scored tokens by window. */
    readonly tokenCounts: readonly number[];
  }[];
  readonly tasks: readonly {
    readonly task: string;
    readonly data: string;
    readonly sha256: string;
    readonly itemCount: number;
    /** `acc_norm`, else `acc`. */
    readonly measure: 'acc' | 'acc_norm';
  }[];
  readonly original: StudyScores;
  readonly cells: readonly StudyCell[];
  readonly unavailable: readonly { readonly method: string; readonly bits: number; readonly reason: string }[];
  readonly tests: StudyTests;
  /** Of everything that the study was made of. */
  readonly key: string;
}
