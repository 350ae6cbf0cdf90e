import type { TokenLosses } from '../openScorer.ts';
import { SLICE } from './sliceGraph.ts';

/** Losses of some tokens while their vocabulary goes by part after part. */
export interface RunningLosses {
  /** Adds what a part of the vocabulary says of some tokens; `values` as `SLICE` names them. */
  add(values: SliceValues, place: SlicePlace): void;
  /** When every part was added. Ranks end at 5. */
  finish(): TokenLosses;
}

export interface SlicePlace {
  /** Tokens of the vocabulary `[start, start + size)`. */
  readonly slice: { readonly start: number; readonly size: number };
  /** The first of the tokens, among all, and what follows each. */
  readonly from: number;
  readonly targets: Int32Array;
}

export type SliceValues = Readonly<Record<string, { readonly data: Float32Array | Int32Array }>>;

/** ln of the sum of e^logit over the vocabulary seen so far, as maximum and sum, and the target's logit; one entry a token. */
interface Total {
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly target: Float64Array;
}

const FIVE = 5;

/**
 * Carries from one part of the vocabulary to the next what losses need: ln p = logit - ln sum e^logit, the sum with its maximum taken out
 * (Milakov and Gimelshein 2018, online softmax), in float64.
 *
 * With a baseline also KL(baseline || model) = sum p (baseline's logit - model's) + ln of the model's sum - ln of the baseline's, the most
 * likely tokens, and the five largest logits of the model, from which the rank of the baseline's favourite follows up to 5.
 */
export function runningLosses(count: number, columns: number, compares: boolean): RunningLosses {
  const own = emptyTotal(count);
  const baseline = compares ? emptyTotal(count) : null;
  const weighted = new Float64Array(compares ? count : 0);
  const [modelTop, top] = [new Int32Array(weighted.length), new Int32Array(weighted.length)];
  const atTop = new Float64Array(weighted.length);
  const five = new Float32Array(FIVE * weighted.length).fill(Number.NEGATIVE_INFINITY);
  return {
    add(values, place) {
      const floats = (name: string): Float32Array => values[name]!.data as Float32Array;
      const { slice, from, targets } = place;
      if (baseline) {
        const [tops, baselineTops] = [values[SLICE.top]!.data, values[SLICE.baselineTop]!.data];
        const [maxima, ownMaxima] = [floats(SLICE.baselineMax), floats(SLICE.max)];
        const [terms, atTops, largest] = [floats(SLICE.weighted), floats(SLICE.atTop), floats(SLICE.five)];
        const width = largest.length / targets.length;
        for (let row = 0; row < targets.length; row++) {
          const at = from + row;
          const before = baseline.max[at]!;
          const after = Math.max(before, maxima[row]!);
          weighted[at] = weighted[at]! * Math.exp(before - after) + terms[row]! * Math.exp(maxima[row]! - after);
          // Of equals the first.
          if (maxima[row]! > before) {
            top[at] = slice.start + baselineTops[row]!;
            atTop[at] = atTops[row]!;
          }
          if (ownMaxima[row]! > own.max[at]!) modelTop[at] = slice.start + tops[row]!;
          mergeLargest(five.subarray(FIVE * at, FIVE * (at + 1)), largest.subarray(width * row, width * (row + 1)));
        }
        addTotal(baseline, [maxima, floats(SLICE.baselineSum), floats(SLICE.baselineTarget)], place);
      }
      addTotal(own, [floats(SLICE.max), floats(SLICE.sum), floats(SLICE.target)], place);
    },
    finish() {
      const losses = { columns, ...lossesOf(own) };
      if (!baseline) return losses;
      const divergence = (at: number): number =>
        weighted[at]! / baseline.sum[at]! + logTotal(own, at) - logTotal(baseline, at);
      const rank = (at: number): number =>
        five.subarray(FIVE * at, FIVE * (at + 1)).filter(logit => logit > atTop[at]!).length;
      const klDivergence = Float32Array.from({ length: count }, (_, at) => divergence(at));
      const ranks = Float32Array.from({ length: count }, (_, at) => rank(at));
      return { ...losses, baseline: { ...lossesOf(baseline), klDivergence, top, modelTop, rank: ranks } };
    },
  };
}

function emptyTotal(count: number): Total {
  return {
    max: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    sum: new Float64Array(count),
    target: new Float64Array(count),
  };
}

function addTotal(
  total: Total,
  [max, sum, target]: readonly [Float32Array, Float32Array, Float32Array],
  { targets, from, slice: { start, size } }: SlicePlace,
): void {
  for (let row = 0; row < targets.length; row++) {
    const at = from + row;
    const before = total.max[at]!;
    const after = Math.max(before, max[row]!);
    total.sum[at] = total.sum[at]! * Math.exp(before - after) + sum[row]! * Math.exp(max[row]! - after);
    total.max[at] = after;
    if (targets[row]! >= start && targets[row]! < start + size) total.target[at] = target[row]!;
  }
}

function logTotal({ max, sum }: Total, at: number): number {
  return max[at]! + Math.log(sum[at]!);
}

/** A target that is the most likely token gets the same number twice. */
function lossesOf(total: Total): { nll: Float32Array; logConfidence: Float32Array } {
  return {
    nll: Float32Array.from(total.target, (logit, at) => logTotal(total, at) - logit),
    logConfidence: Float32Array.from(total.max, (logit, at) => logit - logTotal(total, at)),
  };
}

/** The largest of both, falling; `kept` takes them. */
function mergeLargest(kept: Float32Array, more: Float32Array): void {
  for (const value of more) {
    if (!(value > kept.at(-1)!)) return;
    let place = kept.length - 1;
    for (; place > 0 && kept[place - 1]! < value; place--) kept[place] = kept[place - 1]!;
    kept[place] = value;
  }
}
