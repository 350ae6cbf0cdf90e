import { gemm, type Matrix } from '@quern/linalg';
import type { NormalEquations } from './fitOnSupport.ts';
import type { SharingSite } from './sharingSite.ts';

/** What least squares for the outputs of a weight needs of atoms in its own space: D G D^T and W G D^T. Cost: atomCount inFeatures (inFeatures + atomCount + outFeatures) multiply-adds. */
export async function metricEquations(
  { weight, gram }: SharingSite,
  atoms: Matrix<Float64Array>,
): Promise<NormalEquations> {
  const weighted = await gemm(atoms, gram);
  return {
    atomGram: await gemm(weighted, atoms, { transposeB: true }),
    correlations: await gemm(weight, weighted, { transposeB: true }),
  };
}
