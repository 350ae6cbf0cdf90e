import { gemm, type Matrix } from '@quern/linalg';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import { diagonalSum } from '../lowRank/diagonalSum.ts';
import { stackRows } from '../lowRank/stackRows.ts';
import { sumOf } from '../lowRank/sumOf.ts';
import { diagonalizeTogether } from './diagonalizeTogether.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { energyOf } from './energyOf.ts';
import { fitSharedAtoms } from './fitSharedAtoms.ts';
import { hasSettled } from './hasSettled.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { learnOrthonormal } from './learnOrthonormal.ts';
import { metricEquations } from './metricEquations.ts';
import { pursueByThreshold } from './pursueByThreshold.ts';
import { remainder } from './remainder.ts';
import type { SharedCode } from './sharedCode.ts';
import type { SharingSite } from './sharingSite.ts';
import { shiftedInverse } from './shiftedInverse.ts';

const START_SWEEPS = 20;

/** Of the mean of the Grams' diagonal: directions with less energy than this are left out of the first atoms. */
const LEAST_SEEN = 1e-6;

/**
 * Atoms and coefficients for two sites, turn about: hard-thresholding pursuit for the coefficients of each, least squares for the atoms that
 * they have in common; `sweeps` times, or fewer once they gain too little (see hasSettled). The objectives never rise. Starts from the atoms that `compot` finds for both weights, one above the other, whitened by the sum of their Grams.
 *
 * Objective: min sum_i ||(W_i - C_i D) X_i||_F^2 with `nonzeroCount` nonzeros in each C_i, as many in every row.
 * Source: GeoPair, arXiv:2609.25963. Cost: learnOrthonormal of both weights and two
 * eigenproblems of inFeatures; a sweep takes those of pursueByThreshold, twice, and fitSharedAtoms.
 */
export async function learnPair(
  sites: readonly [SharingSite, SharingSite],
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
): Promise<SharedCode> {
  let atoms = await firstAtoms(sites, { atomCount, nonzeroCount });
  const inputs = await diagonalizeTogether(sites[0].gram, sites[1].gram);
  const energies = [await energyOf(sites[0]), await energyOf(sites[1])] as const;
  const energy = energies[0] + energies[1];
  const { rows } = sites[0].weight;
  const empty = { rows, columns: atomCount, data: new Float64Array(rows * atomCount) };
  let coefficients: readonly [Matrix<Float64Array>, Matrix<Float64Array>] = [empty, empty];
  const objectives: number[] = [];
  const siteObjectives: readonly number[][] = sites.map(() => []);
  let isSettled = energy === 0;
  let counts: readonly Int32Array[] | null = null;
  for (let sweep = 0; sweep < sweeps && !isSettled; sweep++) {
    const equations = [await metricEquations(sites[0], atoms), await metricEquations(sites[1], atoms)] as const;
    counts ??= equations.map(({ correlations }) => countsOf(correlations, nonzeroCount));
    coefficients = [
      await pursueByThreshold(coefficients[0], equations[0], counts[0]!),
      await pursueByThreshold(coefficients[1], equations[1], counts[1]!),
    ];
    atoms = await fitSharedAtoms(sites, coefficients, atoms, inputs);
    let left = 0;
    for (const [index, site] of sites.entries()) {
      const own = energies[index]!;
      const share = own > 0 ? await remainder(coefficients[index]!, await metricEquations(site, atoms), own) : 0;
      siteObjectives[index]!.push(share);
      left += (share * own) / energy;
    }
    objectives.push(left);
    isSettled = hasSettled(objectives);
  }
  return { atoms, coefficients, objectives, siteObjectives, stoppedBy: isSettled ? 'tolerance' : 'sweeps' };
}

/** Those that `compot` finds for both weights, one above the other, whitened by the sum of their Grams. */
async function firstAtoms(
  sites: readonly SharingSite[],
  { atomCount, nonzeroCount }: DictionarySize,
): Promise<Matrix<Float64Array>> {
  const gram = sumOf(sites.map(site => site.gram));
  const whitening = await choleskyWhitening(gram);
  const stacked = await whitening.apply(stackRows(sites.map(({ weight }) => weight)));
  const size = { atomCount, nonzeroCount: sites.length * nonzeroCount };
  const { atoms } = await learnOrthonormal(stacked, size, START_SWEEPS);
  const seen = await gemm(await whitening.undo(atoms), gram);
  return gemm(seen, await shiftedInverse(gram, (LEAST_SEEN * diagonalSum(gram)) / gram.rows));
}

/** Nonzeros of each row: what does not go round goes to the rows with most to gain. */
function countsOf(correlations: Matrix<Float64Array>, nonzeroCount: number): Int32Array {
  const { rows, columns } = correlations;
  const kept = { rows, columns, data: correlations.data.slice() };
  keepLargestOfRows(kept, nonzeroCount);
  const each = Math.floor(nonzeroCount / rows);
  return Int32Array.from({ length: rows }, (_, row) => {
    const count = kept.data.subarray(row * columns, (row + 1) * columns).filter(value => value !== 0).length;
    return Math.min(columns, Math.max(each, count));
  });
}
