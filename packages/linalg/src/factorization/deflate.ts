/** Where the vector of a pole is not zero. */
export const Support = { head: 0, both: 1, tail: 2 } as const;
export type Support = (typeof Support)[keyof typeof Support];

/** The rank-one update D + rho z z^T without what has, to working precision, converged already. */
export interface DeflatedUpdate {
  /** Poles that take part, as indices into the arrays given; their values ascend. */
  readonly kept: number[];
  /** Poles that are eigenvalues as they stand. */
  readonly deflated: number[];
}

/** An update that is to be deflated: arrays of one value per pole, changed in place. */
export interface RankOneUpdate {
  readonly poles: Float64Array;
  readonly z: Float64Array;
  readonly supports: Support[];
  readonly rho: number;
  /** The vectors of two poles become (cosine x + sine y, cosine y - sine x). */
  rotate(x: number, y: number, cosine: number, sine: number): void;
}

/**
 * Takes out poles whose z is negligible, and one of each two poles that are so close that a rotation makes its z vanish.
 *
 * Negligible: a change of the matrix below 8 units of rounding of its largest value. What is kept has distinct poles and z that are
 * not 0, as the secular equation needs. Source: Cuppen 1981; Dongarra and Sorensen 1987; LAPACK's dlaed2.
 */
export function deflate({ poles, z, supports, rho, rotate }: RankOneUpdate): DeflatedUpdate {
  const order = Array.from(poles.keys()).sort((first, second) => poles[first]! - poles[second]!);
  const largest = poles.reduce((size, pole) => Math.max(size, Math.abs(pole)), 0);
  const tolerance = 8 * Number.EPSILON * z.reduce((size, value) => Math.max(size, Math.abs(value)), largest);
  const kept: number[] = [];
  const deflated: number[] = [];
  let before = -1;
  for (const pole of order) {
    if (rho * Math.abs(z[pole]!) <= tolerance) {
      deflated.push(pole);
      continue;
    }
    if (before >= 0) {
      const length = Math.hypot(z[pole]!, z[before]!);
      const cosine = z[pole]! / length;
      const sine = -z[before]! / length;
      const gap = poles[pole]! - poles[before]!;
      if (Math.abs(gap * cosine * sine) <= tolerance) {
        z[pole] = length;
        z[before] = 0;
        if (supports[pole] !== supports[before]) supports[pole] = Support.both;
        rotate(before, pole, cosine, sine);
        const lower = poles[before]!;
        const upper = poles[pole]!;
        poles[before] = lower * cosine * cosine + upper * sine * sine;
        poles[pole] = lower * sine * sine + upper * cosine * cosine;
        deflated.push(before);
      } else {
        kept.push(before);
      }
    }
    before = pole;
  }
  if (before >= 0) kept.push(before);
  return { kept, deflated };
}
