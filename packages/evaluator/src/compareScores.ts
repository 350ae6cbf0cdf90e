import { compareLosses, difference, type LossDifference } from './compareLosses.ts';
import { type ModelFigures, modelFigures, type TextSizes } from './modelFigures.ts';
import { benjaminiHochberg } from './statistics/benjaminiHochberg.ts';
import { calibrationShares } from './statistics/calibrationError.ts';
import { clusteredMean, type Estimate } from './statistics/clusteredMean.ts';
import { mcnemarTest } from './statistics/mcnemarTest.ts';
import { pairedBootstrap } from './statistics/pairedBootstrap.ts';
import { percentile } from './statistics/percentile.ts';
import type { BaselineScores, WindowScores } from './windowScores.ts';

/** Level at which flips of a document count as more than chance. */
const LEVEL = 0.05;

/** What a paired test says of one figure. */
export interface PairedTest {
  readonly figure: 'nll' | 'accuracy' | 'calibrationError';
  readonly test: 'paired bootstrap' | 'McNemar';
  /** After less before; nats per token for nll. */
  readonly difference: number;
  /** 95 % interval of the difference, by paired bootstrap over windows. */
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
  /** After Benjamini and Hochberg, over the tests of this evaluation. */
  readonly adjustedPValue: number;
}

/** Tokens whose most likely continuation became wrong or right. */
export interface TokenFlips {
  readonly lost: number;
  readonly gained: number;
  /** Mean of lost + gained over windows with scored tokens; a window is a document with --per-document. */
  readonly perDocument: number;
  readonly perDocumentStandardError: number;
  /** Windows that lost more than they gained by more than chance: McNemar, adjusted over windows, at 5 %. */
  readonly documentsDamaged: number;
}

/** Distance of a model from its baseline on the same tokens; of the baseline itself the figures of a model. */
export interface BaselineEvaluation extends ModelFigures, LossDifference {
  /** Mean KL(baseline || model) per token, nats. */
  readonly klDivergence: number;
  readonly klDivergenceStandardError: number;
  /** 99 % of the tokens are below it. */
  readonly klPercentile99: number;
  readonly klPercentile99StandardError: number;
  /** The largest of all tokens, and where: the window, and how many scored tokens of it stand before. An extreme has no standard error. */
  readonly klMaximum: number;
  readonly klMaximumAt: { readonly window: number; readonly scoredToken: number };
  /** Fraction of tokens for which both find the same token most likely. */
  readonly topAgreement: number;
  readonly topAgreementStandardError: number;
  /** Fraction of tokens for which the baseline's most likely one is among the model's five most likely. */
  readonly topFiveAgreement: number;
  readonly topFiveAgreementStandardError: number;
  readonly accuracyDifference: number;
  readonly accuracyDifferenceStandardError: number;
  readonly calibrationErrorDifference: number;
  readonly calibrationErrorDifferenceStandardError: number;
  readonly flips: TokenFlips;
  readonly tests: readonly PairedTest[];
  /** Of the bootstrap. */
  readonly seed: number;
}

/**
 * Compares a model with its baseline by window. Standard errors and intervals take windows as independent clusters. McNemar's test takes
 * tokens as independent, which they nearly are once both models read the same context.
 *
 * `seed` of the bootstrap. Cost: 20,000 draws a window, and a sort of the divergences.
 */
export function compareScores(
  scores: WindowScores & { readonly baseline: BaselineScores },
  sizes: TextSizes,
  seed: number,
): BaselineEvaluation {
  const { tokenCounts, baseline } = scores;
  const mean = (sums: ArrayLike<number>): Estimate => clusteredMean(sums, tokenCounts);
  const divergence = mean(baseline.klDivergence);
  const high = percentile(baseline.tokenDivergences, tokenCounts, 0.99);
  const top = mean(baseline.topAgreements);
  const topFive = mean(baseline.topFiveAgreements);
  const accuracy = mean(difference(scores.right, baseline.right));
  const calibration = mean(difference(calibrationShares(scores.gaps), calibrationShares(baseline.gaps)));
  return {
    ...modelFigures(baseline, tokenCounts, sizes),
    ...compareLosses(scores.nll, baseline.nll, tokenCounts),
    klDivergence: divergence.value,
    klDivergenceStandardError: divergence.standardError,
    klPercentile99: high.value,
    klPercentile99StandardError: high.standardError,
    ...largestDivergence(baseline.tokenDivergences, tokenCounts),
    topAgreement: top.value,
    topAgreementStandardError: top.standardError,
    topFiveAgreement: topFive.value,
    topFiveAgreementStandardError: topFive.standardError,
    accuracyDifference: accuracy.value,
    accuracyDifferenceStandardError: accuracy.standardError,
    calibrationErrorDifference: calibration.value,
    calibrationErrorDifferenceStandardError: calibration.standardError,
    flips: countFlips(baseline, tokenCounts),
    tests: pairedTests(scores, seed),
    seed,
  };
}

function largestDivergence(divergences: Float32Array, tokenCounts: Int32Array) {
  let largest = 0;
  for (const [token, value] of divergences.entries()) if (value > divergences[largest]!) largest = token;
  let [window, scoredToken] = [0, largest];
  while (scoredToken >= tokenCounts[window]!) scoredToken -= tokenCounts[window++]!;
  return { klMaximum: divergences[largest]!, klMaximumAt: { window, scoredToken } };
}

function countFlips({ lost, gained }: BaselineScores, tokenCounts: Int32Array): TokenFlips {
  const flips = Float64Array.from(lost, (count, window) => count + gained[window]!);
  const perDocument = clusteredMean(
    flips,
    Array.from(tokenCounts, count => Math.min(1, count)),
  );
  const adjusted = benjaminiHochberg(Array.from(lost, (count, window) => mcnemarTest(count, gained[window]!)));
  return {
    lost: add(lost),
    gained: add(gained),
    perDocument: perDocument.value,
    perDocumentStandardError: perDocument.standardError,
    documentsDamaged: adjusted.filter((value, window) => value <= LEVEL && lost[window]! > gained[window]!).length,
  };
}

function pairedTests(scores: WindowScores & { readonly baseline: BaselineScores }, seed: number): PairedTest[] {
  const { tokenCounts, baseline } = scores;
  const bootstrap = (after: ArrayLike<number>, before: ArrayLike<number>) => {
    const { resamples: _, seed: __, ...found } = pairedBootstrap(difference(after, before), tokenCounts, { seed });
    return found;
  };
  const tests = [
    { figure: 'nll', test: 'paired bootstrap', ...bootstrap(scores.nll, baseline.nll) },
    {
      figure: 'accuracy',
      test: 'McNemar',
      ...bootstrap(scores.right, baseline.right),
      pValue: mcnemarTest(add(baseline.lost), add(baseline.gained)),
    },
    {
      figure: 'calibrationError',
      test: 'paired bootstrap',
      ...bootstrap(calibrationShares(scores.gaps), calibrationShares(baseline.gaps)),
    },
  ] as const;
  const adjusted = benjaminiHochberg(tests.map(({ pValue }) => pValue));
  return tests.map((test, index) => ({ ...test, adjustedPValue: adjusted[index]! }));
}

function add(counts: Int32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
