import { gemm, type Matrix } from '@quern/linalg';
import { type CommonBasis, diagonalizeTogether } from './diagonalizeTogether.ts';
import type { SharingSite } from './sharingSite.ts';

/** Of the curvature along any direction, whose largest is 1. */
const RIDGE = 1e-6;

/**
 * The atoms that two sites have in common, fitted to both by least squares: argmin over D of sum_i ||(W_i - C_i D) X_i||_F^2, by a step from
 * the atoms that are there. Never raises the objective: what keeps the arithmetic in reach adds to its curvature. Atoms that no output uses
 * stay as they were.
 *
 * sum_i C_i^T C_i D G_i = sum_i C_i^T W_i G_i is a Sylvester equation. The bases that make both C_i^T C_i and both G_i diagonal make it
 * one division a value; `inputs` is that of the Grams.
 * Source: arXiv:2609.25963. Cost: an eigenproblem of atomCount and 2 atomCount inFeatures (atomCount + 2 inFeatures) + 2 outFeatures atomCount
 * (atomCount + 2 inFeatures) multiply-adds.
 */
export async function fitSharedAtoms(
  sites: readonly [SharingSite, SharingSite],
  coefficients: readonly [Matrix<Float64Array>, Matrix<Float64Array>],
  atoms: Matrix<Float64Array>,
  inputs: CommonBasis,
): Promise<Matrix<Float64Array>> {
  const [first, second] = coefficients;
  if (first.data.every(value => value === 0) && second.data.every(value => value === 0)) return atoms;
  const uses = await diagonalizeTogether(
    await gemm(first, first, { transposeA: true }),
    await gemm(second, second, { transposeA: true }),
  );
  const pulls = [await pullOf(sites[0], first, atoms), await pullOf(sites[1], second, atoms)] as const;
  const pull = { ...atoms, data: pulls[0].data.map((value, index) => value + pulls[1].data[index]!) };
  const turned = await gemm(await gemm(uses.transform, pull), inputs.transform, { transposeB: true });
  for (let row = 0; row < turned.rows; row++) {
    const use = uses.shares[row]!;
    for (let column = 0; column < turned.columns; column++) {
      const share = inputs.shares[column]!;
      turned.data[row * turned.columns + column]! /= use * share + (1 - use) * (1 - share) + RIDGE;
    }
  }
  const change = await gemm(await gemm(uses.transform, turned, { transposeA: true }), inputs.transform);
  return { ...atoms, data: atoms.data.map((value, index) => value + change.data[index]!) };
}

/** C^T (W - C D) G, half the descent of a site's part of the objective. */
async function pullOf(
  { weight, gram }: SharingSite,
  coefficients: Matrix<Float64Array>,
  atoms: Matrix<Float64Array>,
): Promise<Matrix<Float64Array>> {
  const output = { ...weight, data: weight.data.slice() };
  const rest = await gemm(coefficients, atoms, { alpha: -1, beta: 1, output });
  return gemm(await gemm(coefficients, rest, { transposeA: true }), gram);
}
