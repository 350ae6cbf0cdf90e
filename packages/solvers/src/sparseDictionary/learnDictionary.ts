import type { Matrix } from '@quern/linalg';
import type { DictionarySize } from './dictionarySize.ts';
import { fitAtoms } from './fitAtoms.ts';
import { type LearntCode, learnOrthonormal } from './learnOrthonormal.ts';
import { normalEquations } from './normalEquations.ts';
import { pursueSupport } from './pursueSupport.ts';
import { remainder } from './remainder.ts';
import type { SparseCode } from './sparseCode.ts';

/** Of orthonormal atoms, before they may lean on each other. */
const ORTHONORMAL_SWEEPS = 5;

const PURSUITS = 2;

/** Stops when a sweep removes less than this share of what is left. */
const LEAST_GAIN = 1e-4;

/**
 * Unit atoms and coefficients for Y `[outFeatures, inFeatures]`: from the orthonormal solution on, least squares for the atoms,
 * then two steps of hard-thresholding pursuit, at most `sweeps` times; the best code that was measured.
 *
 * Objective: min ||Y - C D||_F with `nonzeroCount` nonzeros in all of C, wherever they help most.
 * Cost: a sweep takes about 22 outFeatures atomCount^2 + 3 outFeatures inFeatures atomCount multiply-adds, all in products.
 */
export async function learnDictionary(
  target: Matrix<Float64Array>,
  size: DictionarySize,
  sweeps: number,
): Promise<LearntCode> {
  const start = await learnOrthonormal(target, size, Math.min(sweeps, ORTHONORMAL_SWEEPS));
  const energy = target.data.reduce((sum, value) => sum + value * value, 0);
  let best: SparseCode = start;
  let code: SparseCode = start;
  let least = start.objectives.at(-1)!;
  const objectives = [least];
  for (let sweep = 0; sweep < sweeps && energy > 0; sweep++) {
    const { atoms, coefficients } = await fitAtoms(target, code);
    const equations = await normalEquations(target, atoms);
    let next = coefficients;
    for (let step = 0; step < PURSUITS; step++) next = await pursueSupport(next, equations, size.nonzeroCount);
    code = { atoms, coefficients: next };
    const objective = await remainder(next, equations, energy);
    const gain = least - objective;
    if (gain > 0) {
      best = code;
      least = objective;
    }
    objectives.push(least);
    if (gain < LEAST_GAIN * least) break;
  }
  return { ...best, objectives };
}
