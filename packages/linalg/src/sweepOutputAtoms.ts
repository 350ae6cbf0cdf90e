import { Tensor } from 'onnxruntime-node';
import { inTurn, isWorthSending, SWEEP_STARTS } from './accelerator/accelerator.ts';
import { INVERSE_PRODUCTS } from './accelerator/addInverse.ts';
import { encodeOutputFit, encodeOutputMove } from './accelerator/encodeOutputSweep.ts';
import { openDeviceGraphs, placesTensor, scalarTensor, staysThere } from './accelerator/openDeviceGraphs.ts';
import { engine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import type { SweepPlan, SweepProgress } from './sweepPlan.ts';
import { symmetricEigen } from './symmetricEigen.ts';

/** A weight Y `[length, inFeatures]` in the metric R of its inputs. */
export interface OutputSite {
  /** R. */
  readonly correlations: Matrix<Float32Array>;
  /** Y R. */
  readonly pull: Matrix<Float32Array>;
  /** R = directions^T diag(spectrum) directions. */
  readonly directions: Matrix<Float32Array>;
  readonly spectrum: Float64Array;
}

/** Atoms over outputs `[atomCount, length]`, rows of norm 1, and coefficients `[atomCount, inFeatures]` of each site, Y = atoms^T coefficients. */
export interface OutputMatrices {
  readonly atoms: Matrix<Float32Array>;
  readonly coefficients: readonly Matrix<Float32Array>[];
}

/** Where sweeps ended. */
export interface SweptOutputAtoms extends OutputMatrices, SweepProgress {}

/**
 * Sweeps of learning atoms over outputs on the accelerator, two graphs each: least squares for the atoms, overshot; then twice the way to the
 * proximal point for all coefficients, of which the largest stay. Between them the Gram of the atoms comes back, and goes there as eigenvectors,
 * found in float64 on the processor: that step is a Sylvester equation. Otherwise as in sweepDictionary: with WebGPU all other
 * matrices stay on the device; with CUDA they travel for each graph.
 *
 * Null where the engine has no accelerator or the work is too small to send. Errors: when values are no longer finite.
 * Cost a sweep: of each site k n (3 n + 3 k + 2 length), besides 4 k^2 length + 12 k^3 multiply-adds, an eigenproblem of k = atomCount.
 */
export async function sweepOutputAtoms(
  sites: readonly OutputSite[],
  start: OutputMatrices,
  plan: SweepPlan,
): Promise<SweptOutputAtoms | null> {
  const { accelerator, threads } = await engine();
  const { steps } = plan;
  if (!accelerator || steps.length === 0) return null;
  const { device } = accelerator;
  const { rows: k, columns: length } = start.atoms;
  const widths = sites.map(({ pull }) => pull.columns);
  const sum = (of: (n: number) => number): number => widths.reduce((total, n) => total + of(n), 0);
  const work = sum(n => k * n * (3 * n + 3 * k + 2 * length)) + 4 * k * k * length + INVERSE_PRODUCTS * k ** 3;
  const values = sum(n => 2 * n * n + 2 * n * length + 3 * k * n) + 2 * k * length;
  const travelling = (staysThere(device) ? values : values * steps.length) + 2 * k * k * steps.length;
  if (!isWorthSending(accelerator, 2 * work * steps.length, 4 * travelling, steps.length * SWEEP_STARTS)) return null;
  const each = widths.map((_, site) => site);
  const named = (name: string): string[] => each.map(site => `${name}${site}`);
  const fit = {
    name: 'fit',
    encode: () => encodeOutputFit(sites.length, plan),
    reads: ['atoms', ...named('coefficients'), ...named('correlations'), ...named('pull')],
    replaces: ['atoms', ...named('coefficients')],
  };
  const move = {
    name: 'move',
    encode: () => encodeOutputMove(sites.length),
    reads: ['atoms', ...named('coefficients'), ...named('pull'), ...named('directions'), ...named('spectrum')],
    replaces: named('coefficients'),
  };
  return inTurn(accelerator, async () => {
    const graphs = await openDeviceGraphs(namedMatrices(sites, start), { device, threads });
    try {
      const objectives: number[] = [];
      let heldBack = 1;
      for (const [sweep, { proximity, count }] of steps.entries()) {
        // Throws once the engine was told to stop.
        await engine();
        const isLast = sweep === steps.length - 1 || plan.hasSettled(objectives);
        const found = await graphs.run(fit, { places: placesTensor(k) }, isLast);
        objectives.push(found('objective')[0]!);
        if (!Number.isFinite(objectives.at(-1))) throw new Error('Sweeps on the device gave NaN or infinity.');
        if (objectives.at(-1)! > (objectives.at(-2) ?? 1)) heldBack *= plan.afterRise;
        const turned = await turnOf(found('atomGram'), k);
        const scalars = { proximity: scalarTensor(heldBack * proximity), count: scalarTensor(count) };
        await graphs.run(move, { ...turned, ...scalars }, isLast);
        if (isLast) break;
      }
      const coefficients = named('coefficients').map(name => graphs.matrix(name));
      return {
        ...{ atoms: graphs.matrix('atoms'), coefficients, heldBack },
        objectives: objectives.map(left => Math.max(0, left)),
      };
    } finally {
      await graphs.close();
    }
  });
}

function namedMatrices(sites: readonly OutputSite[], start: OutputMatrices): Record<string, Matrix<Float32Array>> {
  const matrices: Record<string, Matrix<Float32Array>> = { atoms: start.atoms };
  for (const [index, { correlations, pull, directions, spectrum }] of sites.entries()) {
    const data = Float32Array.from(spectrum, value => Math.max(0, value));
    matrices[`coefficients${index}`] = start.coefficients[index]!;
    matrices[`correlations${index}`] = correlations;
    matrices[`pull${index}`] = pull;
    matrices[`directions${index}`] = directions;
    matrices[`spectrum${index}`] = { rows: 1, columns: data.length, data };
  }
  return matrices;
}

async function turnOf(atomGram: Float32Array, k: number): Promise<Record<'turn' | 'curvature', Tensor>> {
  const { values, vectors } = await symmetricEigen({ rows: k, columns: k, data: Float64Array.from(atomGram) });
  const curvature = Float32Array.from(values, value => Math.max(0, value));
  return {
    turn: new Tensor('float32', Float32Array.from(vectors.data), [k, k]),
    curvature: new Tensor('float32', curvature, [k, 1]),
  };
}
