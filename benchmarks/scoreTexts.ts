import { evaluateModel } from '@quern/pipeline';

/** A model on several texts as if they were one, paired with a baseline; nats but for the perplexity. */
export interface PooledScore {
  readonly perplexity: number;
  readonly perplexityError: number;
  readonly difference: number;
  readonly differenceError: number;
  readonly divergence: number;
}

/**
 * Scores a written folder on each text (sets or files) and weighs them by their scored tokens. Texts are independent: the error of the
 * whole is the root of the sum of their squared errors.
 */
export async function scoreTexts(model: string, baseline: string, texts: readonly string[]): Promise<PooledScore> {
  let tokens = 0;
  const sums = { loss: 0, lossVariance: 0, difference: 0, differenceVariance: 0, divergence: 0 };
  for (const data of texts) {
    const request = { model, baseline, data, perDocument: false, device: 'cpu' } as const;
    const evaluation = await evaluateModel(request, () => undefined);
    const { tokenCount: count, perplexity, standardError } = evaluation;
    const { nllDifference, nllDifferenceStandardError, klDivergence } = evaluation.baseline!;
    tokens += count;
    sums.loss += count * Math.log(perplexity);
    sums.lossVariance += ((count * standardError) / perplexity) ** 2;
    sums.difference += count * nllDifference;
    sums.differenceVariance += (count * nllDifferenceStandardError) ** 2;
    sums.divergence += count * klDivergence!;
  }
  const perplexity = Math.exp(sums.loss / tokens);
  return {
    perplexity,
    perplexityError: (perplexity * Math.sqrt(sums.lossVariance)) / tokens,
    difference: sums.difference / tokens,
    differenceError: Math.sqrt(sums.differenceVariance) / tokens,
    divergence: sums.divergence / tokens,
  };
}
