import type { TensorPlan } from './planShards.ts';
import { createRandom, type Random } from './random.ts';

/** Rank of the structured part of a weight and its share of the energy; singular values fall like r^-0.7. */
const STRUCTURE_RANK = 16;
const STRUCTURE_SHARE = 0.4;
const SPECTRUM_EXPONENT = 0.7;

/** Channels of the residual stream that are loud in every block, as in trained decoders: about one in 500, 12 times the others. */
const LOUD_EVERY = 509;
const LOUD_FACTOR = 12;

/** Normals are drawn from a table: a billion of them in seconds. */
const TABLE_SIZE = 2 ** 16;

/**
 * A source of a weight's rows, from the first to the last: `next(count)` gives the values of so many, row after row.
 *
 * A weight is a low-rank part with a power-law spectrum, plus noise whose scale differs from input to input; rows that feed the
 * loud channels of the residual stream are longer. Gains of norms are log-normal. So Grams are ill-conditioned and
 * outliers stand in the same channels of all blocks, as solvers meet them in trained models; the model itself knows nothing.
 */
export function randomRows(plan: TensorPlan, seed: number): (count: number) => Float32Array<ArrayBuffer> {
  const random = createRandom(seed);
  const { columns, gain, offset = 0 } = plan;
  if (columns === 0) {
    return count => Float32Array.from({ length: count }, () => gain * Math.exp(0.3 * random.normal()) - offset);
  }
  const table = Float32Array.from({ length: TABLE_SIZE }, () => random.normal());
  const scale = gain / Math.sqrt(columns);
  const noise = Float32Array.from(
    { length: columns },
    () => scale * Math.sqrt(1 - STRUCTURE_SHARE) * Math.exp(0.2 * random.normal()),
  );
  const components = structure(columns, scale * Math.sqrt(STRUCTURE_SHARE), random);
  let state = (Math.floor(random.uniform() * 2 ** 32) | 1) >>> 0;
  let row = 0;
  return count => {
    const values = new Float32Array(count * columns);
    for (let start = 0; start < values.length; start += columns, row++) {
      const loud = plan.writesResidual && row % LOUD_EVERY === 3 ? LOUD_FACTOR : 1;
      for (let column = 0; column < columns; column++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        values[start + column] = loud * noise[column]! * table[(state >>> 8) & (TABLE_SIZE - 1)]!;
      }
      for (const component of components) {
        const left = loud * random.normal();
        for (let column = 0; column < columns; column++) values[start + column]! += left * component[column]!;
      }
    }
    return values;
  };
}

/** Right factors scaled by singular values, whose squares sum to `columns` x `scale`^2. */
function structure(columns: number, scale: number, random: Random): Float32Array[] {
  const spectrum = Array.from({ length: STRUCTURE_RANK }, (_, rank) => (rank + 1) ** -SPECTRUM_EXPONENT);
  const energy = Math.sqrt(spectrum.reduce((sum, value) => sum + value * value, 0));
  return spectrum.map(value =>
    Float32Array.from({ length: columns }, () => ((scale * value) / energy) * random.normal()),
  );
}
