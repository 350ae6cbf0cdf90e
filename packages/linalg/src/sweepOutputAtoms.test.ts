import { EigenvalueDecomposition, inverse, Matrix as NaiveMatrix, solve } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseEngine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { randomGram, randomMatrix } from './plainLoops.ts';
import { type OutputSite, sweepOutputAtoms } from './sweepOutputAtoms.ts';

const accelerator = { device: 'cpu', lock: new Int32Array(new SharedArrayBuffer(4)), leastFlops: 0 } as const;
beforeAll(() => chooseEngine({ accelerator }));
afterAll(() => chooseEngine());

const toNaive = ({ rows, columns, data }: Matrix) => NaiveMatrix.from1DArray(rows, columns, [...data]);
const toFloat32 = (matrix: NaiveMatrix): Matrix<Float32Array> => {
  return { rows: matrix.rows, columns: matrix.columns, data: Float32Array.from(matrix.to1DArray()) };
};

function withUnitRows(matrix: NaiveMatrix): { readonly unit: NaiveMatrix; readonly norms: number[] } {
  const norms = matrix.to2DArray().map(row => Math.hypot(...row));
  return { unit: NaiveMatrix.diag(norms.map(norm => 1 / norm)).mmul(matrix), norms };
}

interface NaiveSite {
  readonly y: NaiveMatrix;
  readonly r: NaiveMatrix;
  readonly c: NaiveMatrix;
}

const [LENGTH, ATOMS, COUNT, PROXIMITY] = [10, 6, 60, 0.4];

function problemOf(widths: readonly number[]): { readonly sites: readonly NaiveSite[]; readonly atoms: NaiveMatrix } {
  const sites = widths.map((n, index) => ({
    y: toNaive(randomMatrix(LENGTH, n, 1 + index)),
    r: toNaive(randomGram(n, 0.5, 1, 5 + index)),
    c: toNaive(randomMatrix(ATOMS, n, 9 + index)),
  }));
  return { sites, atoms: withUnitRows(toNaive(randomMatrix(ATOMS, LENGTH, 20))).unit };
}

const energyOf = (sites: readonly NaiveSite[]): number =>
  sites.reduce((sum, { y, r }) => sum + y.mmul(r).mmul(y.transpose()).trace(), 0);

/** One sweep in float64: normal equations by elimination, the Sylvester equation as one system of all coefficients. */
function plainSweep(sites: readonly NaiveSite[], before: NaiveMatrix, overshoot: number) {
  const sum = (of: (site: NaiveSite) => NaiveMatrix) =>
    sites.map(of).reduce((one, other) => NaiveMatrix.add(one, other));
  const gram = sum(({ c, r }) => c.mmul(r).mmul(c.transpose()));
  const products = sum(({ c, r, y }) => c.mmul(r).mmul(y.transpose()));
  const fitted = inverse(gram).mmul(products);
  const left = sites.reduce((total, { y, r, c }) => {
    const rest = NaiveMatrix.sub(y, fitted.transpose().mmul(c));
    return total + rest.mmul(r).mmul(rest.transpose()).trace();
  }, 0);
  const { unit, norms } = withUnitRows(fitted);
  const signs = unit.to2DArray().map((row, atom) => {
    const old = before.getRow(atom);
    return row.reduce((total, value, at) => total + value * old[at]!, 0) < 0 ? -1 : 1;
  });
  const moved = NaiveMatrix.mul(unit, 1 + overshoot);
  moved.sub(NaiveMatrix.diag(signs).mmul(before).mul(overshoot));
  const atoms = withUnitRows(moved).unit;
  const coefficients = sites.map(({ y, r, c }) => {
    const old = NaiveMatrix.diag(norms).mmul(c);
    const system = atoms.mmul(atoms.transpose()).kroneckerProduct(r);
    system.add(NaiveMatrix.eye(system.rows).mul(PROXIMITY));
    const pulled = NaiveMatrix.add(atoms.mmul(y).mmul(r), NaiveMatrix.mul(old, PROXIMITY));
    const found = solve(system, NaiveMatrix.columnVector(pulled.to1DArray())).to1DArray();
    return found.map((value, at) => 2 * value - old.to1DArray()[at]!);
  });
  return { atoms, coefficients, objective: left / energyOf(sites) };
}

function siteOf({ y, r }: NaiveSite): OutputSite {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(r, { assumeSymmetric: true });
  return {
    ...{ correlations: toFloat32(r), pull: toFloat32(y.mmul(r)) },
    ...{ directions: toFloat32(eigenvectorMatrix.transpose()), spectrum: Float64Array.from(realEigenvalues) },
  };
}

describe('sweeps of atoms over outputs as graphs', () => {
  it.each([[[12]], [[12, 17]], [[5, 9, 11]]])('do what one in float64 does, inputs %j', async widths => {
    const { sites, atoms } = problemOf(widths);
    const expected = plainSweep(sites, atoms, 0.8);
    const start = { atoms: toFloat32(atoms), coefficients: sites.map(({ c }) => toFloat32(c)) };
    const plan = {
      ...{ steps: [{ proximity: PROXIMITY, count: COUNT }], overshoot: 0.8, afterRise: 1.5 },
      ...{ energy: energyOf(sites), hasSettled: () => false },
    };
    const found = (await sweepOutputAtoms(sites.map(siteOf), start, plan))!;
    expect(found.objectives[0]! / expected.objective).toBeCloseTo(1, 3);
    expect(NaiveMatrix.sub(toNaive(found.atoms), expected.atoms).norm()).toBeLessThan(5e-3);
    const limit = expected.coefficients
      .flat()
      .map(Math.abs)
      .toSorted((a, b) => b - a)[COUNT - 1]!;
    const most = Math.max(...expected.coefficients.flat().map(Math.abs));
    let kept = 0;
    for (const [site, { data }] of found.coefficients.entries()) {
      data.forEach((value, at) => {
        if (value !== 0) kept++;
        const other = expected.coefficients[site]![at]!;
        // What is as large as the limit, to a hundredth, may stay or go.
        if (Math.abs(Math.abs(other) / limit - 1) < 0.01) return;
        expect(Math.abs(value - (Math.abs(other) > limit ? other : 0))).toBeLessThan(5e-3 * most);
      });
    }
    expect(kept).toBeLessThanOrEqual(COUNT);
    expect(kept).toBeGreaterThan(COUNT - 3);
  });

  it('never raise what is left over where all coefficients stay and no atom moves further than least squares', async () => {
    const { sites, atoms } = problemOf([12, 17]);
    const start = { atoms: toFloat32(atoms), coefficients: sites.map(({ c }) => toFloat32(c)) };
    const steps = Array.from({ length: 8 }, () => ({ proximity: 0.2, count: ATOMS * 29 }));
    const plan = { steps, overshoot: 0, afterRise: 1.5, energy: energyOf(sites), hasSettled: () => false };
    const { objectives, heldBack } = (await sweepOutputAtoms(sites.map(siteOf), start, plan))!;
    for (let at = 1; at < 8; at++) expect(objectives[at]!).toBeLessThan(objectives[at - 1]! + 1e-6);
    expect(objectives[7]!).toBeLessThan(objectives[0]!);
    expect(heldBack).toBeLessThan(2);
    const settled = { ...plan, hasSettled: (left: readonly number[]) => left.length >= 3 };
    // The sweep after brings everything back.
    expect((await sweepOutputAtoms(sites.map(siteOf), start, settled))!.objectives).toEqual(objectives.slice(0, 4));
  });

  it('are for accelerators', async () => {
    const { sites, atoms } = problemOf([12]);
    const start = { atoms: toFloat32(atoms), coefficients: sites.map(({ c }) => toFloat32(c)) };
    const plan = { steps: [], overshoot: 0, afterRise: 1.5, energy: 1, hasSettled: () => false };
    expect(await sweepOutputAtoms(sites.map(siteOf), start, plan)).toBeNull();
    await chooseEngine();
    const steps = [{ proximity: 1, count: 5 }];
    expect(await sweepOutputAtoms(sites.map(siteOf), start, { ...plan, steps })).toBeNull();
  });
});
