import { expect, it } from 'vitest';
import { answerItems } from './answerItems.ts';
import { compareAnswers } from './compareAnswers.ts';
import { summarizeAnswers } from './summarizeAnswers.ts';

const request = { context: '', continuation: '' };
const item = (gold: number, lengths: readonly number[]) => ({ requests: lengths.map(() => request), gold, lengths });
const scores = (...logLikelihood: readonly number[]) => ({
  logLikelihood: Float64Array.from(logLikelihood),
  isGreedy: new Uint8Array(logLikelihood.length),
});

it('answers by the sum, and by the sum a character', () => {
  // -6 over 2 characters is -3, -8 over 4 is -2: the long answer is second by the sum, first by the character.
  const items = [item(0, [2, 4]), item(1, [2, 4]), item(0, [3, 3])];
  const requests = [
    [0, 1],
    [2, 3],
    [4, 5],
  ];
  const answers = answerItems(items, requests, scores(-6, -8, -6, -8, -5, -5));
  expect([...answers.isRight]).toEqual([1, 0, 1]);
  expect([...answers.isRightNormalized!]).toEqual([0, 1, 1]);
  expect([...answers.goldLogLikelihood]).toEqual([-6, -8, -5]);
  const { accuracy, normalizedAccuracy, chance, perplexity } = summarizeAnswers(items, answers);
  expect(accuracy.value).toBeCloseTo(2 / 3, 12);
  // Sample standard deviation of 1, 0, 1 over the root of 3.
  expect(accuracy.standardError).toBeCloseTo(Math.sqrt((2 * (1 / 3) ** 2 + (2 / 3) ** 2) / 2 / 3), 12);
  expect(normalizedAccuracy!.value).toBeCloseTo(2 / 3, 12);
  expect(chance).toBe(0.5);
  expect(perplexity).toBe(null);
});

it('takes a last word for right where greedy decoding writes it', () => {
  const items = [0, 1].map(() => ({ requests: [request], gold: 0, lengths: null }));
  const likelihoods = { logLikelihood: Float64Array.of(-1, -3), isGreedy: Uint8Array.of(1, 0) };
  const { accuracy, normalizedAccuracy, chance, perplexity } = summarizeAnswers(
    items,
    answerItems(items, [[0], [1]], likelihoods),
  );
  expect(accuracy.value).toBe(0.5);
  expect([normalizedAccuracy, chance]).toEqual([null, null]);
  expect(perplexity!.value).toBeCloseTo(Math.exp(2), 12);
  expect(perplexity!.standardError).toBeCloseTo(Math.exp(2), 12);
});

it('counts answers that flipped', () => {
  const answers = (...right: readonly number[]) => ({
    isRight: Uint8Array.from(right),
    isRightNormalized: null,
    goldLogLikelihood: new Float64Array(right.length),
  });
  const { accuracy, normalizedAccuracy } = compareAnswers(answers(1, 0, 0, 0, 1), answers(1, 1, 1, 1, 0));
  // Three of four flips or more to one side: 2 (1 + 4) / 16.
  expect(accuracy).toEqual({ lost: 3, gained: 1, pValue: 0.625 });
  expect(normalizedAccuracy).toBe(null);
});
