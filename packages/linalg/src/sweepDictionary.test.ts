import { inverse, Matrix as NaiveMatrix } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseEngine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { randomMatrix } from './plainLoops.ts';
import { sweepDictionary } from './sweepDictionary.ts';
import type { SweepPlan } from './sweepPlan.ts';

const accelerator = { device: 'cpu', lock: new Int32Array(new SharedArrayBuffer(4)), leastFlops: 0 } as const;
beforeAll(() => chooseEngine({ accelerator }));
afterAll(() => chooseEngine());

const toNaive = ({ rows, columns, data }: Matrix<Float32Array>) => NaiveMatrix.from1DArray(rows, columns, [...data]);
const toFloat32 = (matrix: NaiveMatrix): Matrix<Float32Array> => {
  return { rows: matrix.rows, columns: matrix.columns, data: Float32Array.from(matrix.to1DArray()) };
};
const square = (matrix: NaiveMatrix): number => matrix.norm() ** 2;

function withUnitRows(matrix: NaiveMatrix): { readonly unit: NaiveMatrix; readonly norms: number[] } {
  const norms = matrix.to2DArray().map(row => Math.hypot(...row));
  return { unit: NaiveMatrix.diag(norms.map(norm => 1 / norm)).mmul(matrix), norms };
}

function largest(matrix: NaiveMatrix, count: number): NaiveMatrix {
  const limit = matrix
    .to1DArray()
    .map(Math.abs)
    .toSorted((a, b) => b - a)[count - 1]!;
  return new NaiveMatrix(matrix.to2DArray().map(row => row.map(value => (Math.abs(value) >= limit ? value : 0))));
}

interface Problem {
  readonly y: NaiveMatrix;
  readonly atoms: NaiveMatrix;
  readonly coefficients: NaiveMatrix;
}

function problemOf(m: number, n: number, k: number, count: number): Problem {
  const y = new NaiveMatrix(m, n);
  // Columns of falling size.
  randomMatrix(m, n, 1).data.forEach((value, index) => {
    y.set(Math.floor(index / n), index % n, value / (1 + (index % n)));
  });
  const noise = randomMatrix(k, n, 2);
  const { unit: atoms } = withUnitRows(NaiveMatrix.from1DArray(k, n, [...noise.data]));
  return { y, atoms, coefficients: largest(y.mmul(atoms.transpose()), count) };
}

/** Sweeps in float64, with elimination and sorting. */
function plainSweeps({ y, ...start }: Problem, { steps, overshoot, afterRise, energy }: SweepPlan) {
  let { atoms, coefficients } = start;
  let heldBack = 1;
  const objectives: number[] = [];
  for (const { proximity, count } of steps) {
    const gram = coefficients.transpose().mmul(coefficients);
    const fit = withUnitRows(inverse(gram).mmul(coefficients.transpose().mmul(y)));
    coefficients = coefficients.mmul(NaiveMatrix.diag(fit.norms));
    objectives.push(square(NaiveMatrix.sub(y, coefficients.mmul(fit.unit))) / energy);
    if (objectives.at(-1)! > (objectives.at(-2) ?? 1)) heldBack *= afterRise;
    const moved = NaiveMatrix.mul(fit.unit, 1 + overshoot);
    for (let atom = 0; atom < atoms.rows; atom++) {
      const old = atoms.getRow(atom);
      const sign = fit.unit.getRow(atom).reduce((sum, value, index) => sum + value * old[index]!, 0) < 0 ? -1 : 1;
      moved.setRow(atom, NaiveMatrix.sub(moved.getRowVector(atom), NaiveMatrix.rowVector(old).mul(overshoot * sign)));
    }
    atoms = withUnitRows(moved).unit;
    const p = heldBack * proximity;
    const shifted = NaiveMatrix.add(atoms.mmul(atoms.transpose()), NaiveMatrix.eye(atoms.rows).mul(p));
    const pulled = NaiveMatrix.add(y.mmul(atoms.transpose()), NaiveMatrix.mul(coefficients, p));
    const proximal = pulled.mmul(inverse(shifted));
    coefficients = largest(NaiveMatrix.sub(NaiveMatrix.mul(proximal, 2), coefficients), count);
  }
  return { atoms, coefficients, heldBack, objectives };
}

const sweep = ({ y, atoms, coefficients }: Problem, plan: SweepPlan) =>
  sweepDictionary({ y: toFloat32(y), atoms: toFloat32(atoms), coefficients: toFloat32(coefficients) }, plan);

const planFor = (y: NaiveMatrix, steps: SweepPlan['steps']): SweepPlan => ({
  ...{ steps, overshoot: 0.8, afterRise: 1.5, energy: square(y), hasSettled: () => false },
});

const growing = (count: number, sweeps: number): SweepPlan['steps'] =>
  Array.from({ length: sweeps }, (_, at) => ({ proximity: 0.2 + 0.1 * at, count: count + 10 * at }));

const distance = (found: Matrix<Float32Array>, expected: NaiveMatrix): number =>
  NaiveMatrix.sub(toNaive(found), expected).norm() / expected.norm();

describe('sweeps as one graph', () => {
  it.each([
    [40, 12, 7, 100, 1],
    [65, 31, 17, 500, 1],
    [65, 31, 17, 500, 2],
  ])('do what those in float64 do, %i x %i, %i atoms, %i nonzeros, %i sweeps', async (m, n, k, count, sweeps) => {
    const problem = problemOf(m, n, k, count);
    const plan = planFor(problem.y, growing(count, sweeps));
    const expected = plainSweeps(problem, plan);
    const found = (await sweep(problem, plan))!;
    expect(found.objectives).toHaveLength(sweeps);
    found.objectives.forEach((value, at) => {
      expect(value / expected.objectives[at]!).toBeCloseTo(1, 3);
    });
    expect(distance(found.atoms, expected.atoms)).toBeLessThan(5e-3);
    const most = plan.steps.at(-1)!.count;
    const values = expected.coefficients.to1DArray();
    const limit = values.map(Math.abs).toSorted((left, right) => right - left)[most - 1]!;
    found.coefficients.data.forEach((value, index) => {
      const other = values[index]!;
      // What is as large as the limit, to a hundredth, may stay or go.
      const isNear = (one: number) => Math.abs(Math.abs(one) / limit - 1) < 0.01;
      if (isNear(value) || isNear(other)) return;
      expect(Math.abs(value - other)).toBeLessThan(0.02 * limit);
    });
    expect(found.coefficients.data.filter(value => value !== 0).length).toBeLessThanOrEqual(most);
  });

  it('hold coefficients back after a rise, also when it was in another graph', async () => {
    const problem = problemOf(120, 33, 24, 1000);
    // Fewer nonzeros leave more over.
    const steps = [1000, 1000, 800, 650, 550, 500].map(count => ({ proximity: 0.5, count }));
    const plan = planFor(problem.y, steps);
    const expected = plainSweeps(problem, plan);
    const found = (await sweep(problem, plan))!;
    // Sweep by sweep rounding leads elsewhere.
    found.objectives.forEach((value, at) => {
      expect(Math.abs(Math.sqrt(value / expected.objectives[at]!) - 1)).toBeLessThan(0.05);
    });
    expect(expected.heldBack).toBeGreaterThan(2);
    expect(found.heldBack).toBeCloseTo(expected.heldBack, 5);
  });

  it('never raise what is left over where all coefficients stay and no atom moves further than least squares', async () => {
    const problem = problemOf(90, 30, 25, 600);
    const steps = Array.from({ length: 9 }, () => ({ proximity: 0.1, count: 90 * 25 }));
    const { objectives } = (await sweep(problem, { ...planFor(problem.y, steps), overshoot: 0 }))!;
    for (let at = 1; at < 9; at++) expect(objectives[at]!).toBeLessThan(objectives[at - 1]! + 1e-6);
    expect(objectives[8]!).toBeLessThan(0.1 * objectives[0]!);
  });

  it('leave atoms alone that no output uses, with others that are the same twice', async () => {
    const { y, atoms, coefficients } = problemOf(40, 12, 7, 100);
    for (let row = 0; row < 40; row++) {
      coefficients.set(row, 3, 0);
      coefficients.set(row, 5, coefficients.get(row, 4));
    }
    const plan = { ...planFor(y, [{ proximity: 0.5, count: 100 }]), overshoot: 0 };
    const found = (await sweep({ y, atoms, coefficients }, plan))!;
    const rows = toNaive(found.atoms).to2DArray();
    for (const [index, value] of rows[3]!.entries()) expect(value).toBeCloseTo(atoms.get(3, index), 6);
    for (const row of rows) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
  });

  it('end once they have settled, after a graph of four', async () => {
    const problem = problemOf(40, 12, 7, 100);
    const steps = Array.from({ length: 20 }, () => ({ proximity: 0.5, count: 100 }));
    const whole = (await sweep(problem, planFor(problem.y, steps)))!;
    const hasSettled = (objectives: readonly number[]) => objectives.length >= 6;
    const found = (await sweep(problem, { ...planFor(problem.y, steps), hasSettled }))!;
    // The third graph brings everything back.
    expect(found.objectives).toEqual(whole.objectives.slice(0, 12));
  });

  it('leave their inputs as they are', async () => {
    const problem = problemOf(40, 12, 7, 100);
    const matrices = {
      ...{ y: toFloat32(problem.y), atoms: toFloat32(problem.atoms) },
      coefficients: toFloat32(problem.coefficients),
    };
    const before = structuredClone(matrices);
    await sweepDictionary(matrices, planFor(problem.y, [{ proximity: 0.5, count: 90 }]));
    expect(matrices).toEqual(before);
  });

  it('are sent where each sweep is worth it, however many there are', async () => {
    const problem = problemOf(300, 100, 80, 6000);
    const plan = (sweeps: number) => planFor(problem.y, growing(6000, sweeps));
    // A sweep takes 51 MFLOP and counts as four products.
    await chooseEngine({ accelerator: { ...accelerator, leastFlops: 12e6 } });
    expect(await sweep(problem, plan(4))).not.toBeNull();
    await chooseEngine({ accelerator: { ...accelerator, leastFlops: 16e6 } });
    expect(await sweep(problem, plan(4))).toBeNull();
    expect(await sweep(problem, plan(40))).toBeNull();
    await chooseEngine({ accelerator });
  });

  it('are for accelerators, and for work that is worth sending', async () => {
    const problem = problemOf(8, 4, 3, 10);
    const plan = planFor(problem.y, [{ proximity: 0.5, count: 10 }]);
    expect(await sweep(problem, plan)).not.toBeNull();
    expect(await sweep(problem, { ...plan, steps: [] })).toBeNull();
    await chooseEngine({ accelerator: { device: 'cpu', lock: accelerator.lock } });
    expect(await sweep(problem, plan)).toBeNull();
    await chooseEngine();
    expect(await sweep(problem, plan)).toBeNull();
    await chooseEngine({ accelerator });
  });
});
