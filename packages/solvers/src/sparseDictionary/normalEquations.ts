import { gemm, type Matrix } from '@quern/linalg';
import type { NormalEquations } from './fitOnSupport.ts';

/** What least squares for Y `[outFeatures, inFeatures]` needs of a dictionary. Cost: (outFeatures + atomCount) inFeatures atomCount multiply-adds. */
export async function normalEquations(
  target: Matrix<Float64Array>,
  atoms: Matrix<Float64Array>,
): Promise<NormalEquations> {
  return {
    atomGram: await gemm(atoms, atoms, { transposeB: true }),
    correlations: await gemm(target, atoms, { transposeB: true }),
  };
}
