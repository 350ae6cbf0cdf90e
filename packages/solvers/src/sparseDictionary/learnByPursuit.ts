import type { Matrix } from '@quern/linalg';
import type { DictionarySize } from './dictionarySize.ts';
import { hasSettled } from './hasSettled.ts';
import type { LearntCode } from './learntCode.ts';
import { normalEquations } from './normalEquations.ts';
import { pursueEach } from './pursueEach.ts';
import { remainder } from './remainder.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import type { SparseCode } from './sparseCode.ts';
import { splitRows } from './splitRows.ts';
import { updateAtoms } from './updateAtoms.ts';

/** A code, and what every site left over after each sweep. */
export interface PursuitCode extends LearntCode {
  /** ||Y_i - C_i D||_F^2 / ||Y_i||_F^2 of each site's rows. */
  readonly siteObjectives: readonly (readonly number[])[];
}

export interface PursuitOptions {
  readonly sweeps: number;
  readonly seed: number;
  readonly siteCount?: number;
}

/**
 * Unit atoms and coefficients for Y `[outFeatures, inFeatures]`: orthogonal matching pursuit, then K-SVD, `sweeps` times, from rows
 * of Y drawn by `seed`, or fewer once they gain too little (see hasSettled); the best code that was measured. The pursuit
 * may raise the objective, K-SVD does not.
 *
 * Objective: min ||Y - C D||_F, as many nonzeros in every row of C. Y may be the weights of `siteCount` sites, one above the other: `nonzeroCount`
 * is then that of each of them. Cost: see pursueOrthogonally and updateAtoms.
 */
export async function learnByPursuit(
  target: Matrix<Float64Array>,
  { atomCount, nonzeroCount }: DictionarySize,
  { sweeps, seed, siteCount = 1 }: PursuitOptions,
): Promise<PursuitCode> {
  const energies = splitRows(target, siteCount).map(({ data }) => data.reduce((sum, value) => sum + value * value, 0));
  const energy = energies.reduce((sum, own) => sum + own, 0);
  let atoms = sampleAtoms(target, atomCount, seed);
  const empty = { rows: target.rows, columns: atomCount, data: new Float64Array(target.rows * atomCount) };
  let best: SparseCode = { coefficients: empty, atoms };
  let least = 1;
  const objectives: number[] = [];
  const siteObjectives: readonly number[][] = energies.map(() => []);
  let isSettled = energy === 0;
  for (let sweep = 0; sweep < sweeps && !isSettled; sweep++) {
    const coefficients = pursueEach(await normalEquations(target, atoms), siteCount, nonzeroCount);
    const code = await updateAtoms(target, { coefficients, atoms });
    const { atomGram, correlations } = await normalEquations(target, code.atoms);
    const parts = splitRows(correlations, siteCount);
    let objective = 0;
    for (const [site, own] of splitRows(code.coefficients, siteCount).entries()) {
      const energyOfSite = energies[site]!;
      const equations = { atomGram, correlations: parts[site]! };
      const share = energyOfSite > 0 ? await remainder(own, equations, energyOfSite) : 0;
      siteObjectives[site]!.push(share);
      objective += (share * energyOfSite) / energy;
    }
    if (objective < least) {
      best = code;
      least = objective;
    }
    objectives.push(objective);
    atoms = code.atoms;
    isSettled = hasSettled(objectives);
  }
  const stoppedBy = isSettled ? 'tolerance' : 'sweeps';
  return { ...best, objectives: energy > 0 ? objectives : [0], siteObjectives, stoppedBy };
}
