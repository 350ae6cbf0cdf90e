import type { WayCount } from './countWays.ts';
import type { Budget } from './readBudget.ts';

/** What a budget asked for, what was expected of the choice, and what the written files have. Which site got what stands with the sites. */
export interface BudgetReport {
  readonly asked: Budget;
  readonly chosen: readonly WayCount[];
  readonly predicted: BudgetFigures;
  readonly measured: BudgetFigures;
  /** Choices that were made again because the files that were written missed the budget; 3 at most. */
  readonly corrections: number;
  /** One way for all sites that came near to the choice and so was written and measured too; null where none did, or nothing measures. */
  readonly uniform: UniformRival | null;
}

/** One way for all sites, against the choice. */
export interface UniformRival {
  /** `name:bits:group` of its sites. */
  readonly method: string;
  /** As in `BudgetFigures`, of both; null for a choice that did not keep the size. */
  readonly klDivergence: number;
  readonly chosenKlDivergence: number | null;
  /** Whether it lost less, or alone kept the size, and stands in the files. */
  readonly isKept: boolean;
}

export interface BudgetFigures {
  readonly bitsPerWeight: number;
  /** Of all graph and data files; null where no size was asked for. */
  readonly bytes: number | null;
  /**
   * KL divergence from the original, nats per token, on held-out windows of the calibration text, with captured statistics on windows that
   * calibrated; null for models that read no text.
   */
  readonly klDivergence: number | null;
  /** Of the perplexity, a share; on the evaluation text, or on the held-out windows without one. Null where none was asked for. */
  readonly perplexityIncrease: number | null;
}
