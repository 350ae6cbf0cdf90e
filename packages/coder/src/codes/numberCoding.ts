import { SCALE_COUNT, SHAPE_COUNT, scaleOfSquares } from './codeFamily.ts';
import { codeFrequencies, PRECISION } from './codeFrequencies.ts';
import { CodeStreamError } from './codeStreamError.ts';
import { descend } from './descend.ts';

/** How small numbers 0 .. 63 are coded: a member of the family for 8-bit codes, moved to `centre`. */
export interface NumberModel {
  readonly family: number;
  readonly centre: number;
}

/** Numbers lie below this. */
const COUNT = 64;
const MIDDLE = 128;
const TOTAL = 1 << PRECISION;
/** The state lies in [LOWEST, 2^32) and gives or takes 16 bits at a time. */
const LOWEST = 1 << 16;

function frequenciesOf(model: NumberModel): Uint16Array {
  return codeFrequencies(Math.floor(model.family / SCALE_COUNT), model.family % SCALE_COUNT, 8);
}

/** More than coding all other numbers can take: a model that cannot code one of them never wins. */
const IMPOSSIBLE_BITS = 1e12;

/** Bits that each of the numbers 0 .. 63 costs under a model. */
export function numberCosts(model: NumberModel): Float64Array {
  const frequencies = frequenciesOf(model);
  return Float64Array.from({ length: COUNT }, (_, n) => costOf(frequencies[n - model.centre + MIDDLE]!));
}

/** The model that codes the numbers in the fewest bits; their mean is its centre. */
export function fitNumberModel(numbers: Uint8Array): NumberModel {
  const counts = new Uint32Array(COUNT);
  for (const number of numbers) counts[number]!++;
  const present = Array.from(counts.keys()).filter(number => counts[number]! > 0);
  const centre = Math.round(present.reduce((sum, number) => sum + counts[number]! * number, 0) / (numbers.length || 1));
  const start = scaleOfSquares(
    present.reduce((sum, number) => sum + counts[number]! * (number - centre) ** 2, 0),
    numbers.length,
  );
  let best = { family: SCALE_COUNT - 1, cost: Number.POSITIVE_INFINITY };
  for (let shape = 0; shape < SHAPE_COUNT; shape++) {
    const costAt = (candidate: number): number => {
      const frequencies = frequenciesOf({ family: shape * SCALE_COUNT + candidate, centre });
      return present.reduce((sum, n) => sum + counts[n]! * costOf(frequencies[n - centre + MIDDLE]!), 0);
    };
    // One number far from many others lies beyond the spread of them all: the descent begins where each can be coded.
    let codable = start;
    while (codable < SCALE_COUNT - 1 && costAt(codable) >= IMPOSSIBLE_BITS) codable++;
    const { scale, cost } = descend(codable, SCALE_COUNT - 1, costAt);
    if (cost < best.cost) best = { family: shape * SCALE_COUNT + scale, cost };
  }
  return { family: best.family, centre };
}

function costOf(frequency: number): number {
  return frequency === 0 ? IMPOSSIBLE_BITS : PRECISION - Math.log2(frequency);
}

/** Several runs of numbers by rANS with one state; the inverse of `decodeNumbers`. */
export function encodeNumbers(
  runs: readonly { readonly numbers: Uint8Array; readonly model: NumberModel }[],
): Uint8Array {
  const reversed: number[] = [];
  let state = LOWEST;
  for (const { numbers, model } of runs.toReversed()) {
    const frequencies = frequenciesOf(model);
    const starts = startsOf(frequencies);
    for (const number of numbers.toReversed()) {
      const code = number - model.centre + MIDDLE;
      const frequency = frequencies[code]!;
      if (state >= frequency * 2 ** (32 - PRECISION)) {
        reversed.push((state >>> 8) & 255, state & 255);
        state = Math.floor(state / LOWEST);
      }
      state = Math.floor(state / frequency) * TOTAL + (state % frequency) + starts[code]!;
    }
  }
  for (let shift = 24; shift >= 0; shift -= 8) reversed.push((state >>> shift) & 255);
  return Uint8Array.from(reversed.reverse());
}

/** @throws CodeStreamError when the bytes are not runs of so many numbers 0 .. 63 under these models. */
export function decodeNumbers(
  bytes: Uint8Array,
  runs: readonly { readonly count: number; readonly model: NumberModel }[],
): Uint8Array[] {
  if (bytes.length < 4 || bytes.length % 2 !== 0) throw new CodeStreamError(`${bytes.length} bytes of scales`);
  let state = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
  let at = 4;
  const decoded = runs.map(({ count, model }) => {
    const frequencies = frequenciesOf(model);
    const starts = startsOf(frequencies);
    const codeOfSlot = new Uint8Array(TOTAL);
    for (let code = 0; code < frequencies.length; code++) {
      codeOfSlot.fill(code, starts[code]!, starts[code]! + frequencies[code]!);
    }
    const numbers = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      const slot = state & (TOTAL - 1);
      const code = codeOfSlot[slot]!;
      const number = code - MIDDLE + model.centre;
      if (number < 0 || number >= COUNT) throw new CodeStreamError(`a scale of ${number}`);
      numbers[index] = number;
      state = frequencies[code]! * (state >>> PRECISION) + slot - starts[code]!;
      if (state >= LOWEST) continue;
      if (at >= bytes.length) throw new CodeStreamError('the scales end early');
      state = state * LOWEST + (bytes[at]! | (bytes[at + 1]! << 8));
      at += 2;
    }
    return numbers;
  });
  if (state !== LOWEST || at !== bytes.length) throw new CodeStreamError('the scales do not end where they should');
  return decoded;
}

function startsOf(frequencies: Uint16Array): Uint16Array {
  const starts = new Uint16Array(frequencies.length);
  for (let code = 1; code < frequencies.length; code++) starts[code] = starts[code - 1]! + frequencies[code - 1]!;
  return starts;
}
