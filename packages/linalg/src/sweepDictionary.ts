import { inTurn, isWorthSending, SWEEP_STARTS } from './accelerator/accelerator.ts';
import { INVERSE_PRODUCTS } from './accelerator/addInverse.ts';
import { encodeDictionarySweeps } from './accelerator/encodeDictionarySweeps.ts';
import {
  type DeviceGraphs,
  openDeviceGraphs,
  placesTensor,
  scalarTensor,
  staysThere,
} from './accelerator/openDeviceGraphs.ts';
import { engine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import type { SweepPlan, SweepProgress, SweepStep } from './sweepPlan.ts';

/** What learning begins with, Y = coefficients atoms. */
export interface SweepMatrices {
  readonly y: Matrix<Float32Array>;
  readonly coefficients: Matrix<Float32Array>;
  readonly atoms: Matrix<Float32Array>;
}

/** Where sweeps ended. */
export interface SweptDictionary extends Omit<SweepMatrices, 'y'>, SweepProgress {}

/** In one graph, where what comes of it cannot stay on the device. */
const SWEEPS_A_RUN = 4;

/**
 * Sweeps of learning a dictionary on the accelerator: least squares for the atoms, overshot, then twice the way to the proximal point for
 * all coefficients at once, of which the largest stay. From products alone, thresholds from counting: never more than `count` values stay, and
 * about a thousandth fewer may.
 *
 * Y `[m, n]`, coefficients `[m, k]`, atoms `[k, n]`, rows of norm 1. With WebGPU the matrices stay on the device from the first sweep to the last,
 * and of each sweep two numbers come back; ONNX Runtime for Node cannot leave them there with CUDA: four sweeps are one graph then, and
 * coefficients and atoms travel after it. Null where the engine has no accelerator or the work is too small to send.
 * Errors: when values are no longer finite. Cost a sweep: m k (2 n + 3 k) + 4 k^2 n + 24 k^3 multiply-adds, and forty passes over the coefficients.
 */
export async function sweepDictionary(matrices: SweepMatrices, plan: SweepPlan): Promise<SweptDictionary | null> {
  const { accelerator, threads } = await engine();
  const { steps } = plan;
  if (!accelerator || steps.length === 0) return null;
  const { device } = accelerator;
  const [m, n, k] = [matrices.y.rows, matrices.y.columns, matrices.atoms.rows];
  const perRun = staysThere(device) ? 1 : Math.min(SWEEPS_A_RUN, steps.length);
  const trips = staysThere(device) ? 1 : Math.ceil(steps.length / perRun);
  const flops = 2 * steps.length * (m * k * (2 * n + 3 * k) + 4 * k * k * n + 2 * INVERSE_PRODUCTS * k ** 3);
  const bytes = 4 * trips * (m * n + 2 * k * (m + n));
  if (!isWorthSending(accelerator, flops, bytes, steps.length * SWEEP_STARTS)) return null;
  return inTurn(accelerator, async () => {
    const graphs = await openDeviceGraphs({ ...matrices }, { device, threads });
    try {
      let progress: SweepProgress = { heldBack: 1, objectives: [] };
      let isLast = false;
      for (let done = 0; !isLast; done += perRun) {
        // Throws once the engine was told to stop.
        await engine();
        // The run after sweeps have settled brings everything back.
        isLast = done + perRun >= steps.length || plan.hasSettled(progress.objectives);
        progress = await run(graphs, plan, { steps: steps.slice(done, done + perRun), progress, atomCount: k, isLast });
        if (!progress.objectives.every(Number.isFinite)) throw new Error('Sweeps on the device gave NaN or infinity.');
      }
      const objectives = progress.objectives.map(left => Math.max(0, left));
      const [coefficients, atoms] = [graphs.matrix('coefficients'), graphs.matrix('atoms')];
      return { coefficients, atoms, heldBack: progress.heldBack, objectives };
    } finally {
      await graphs.close();
    }
  });
}

interface Run {
  readonly steps: readonly SweepStep[];
  readonly progress: SweepProgress;
  readonly atomCount: number;
  readonly isLast: boolean;
}

async function run(graphs: DeviceGraphs, plan: SweepPlan, { steps, progress, ...own }: Run): Promise<SweepProgress> {
  const { heldBack, objectives } = progress;
  const scalars = {
    ...{ heldBack, objective: objectives.at(-1) ?? 1 },
    ...Object.fromEntries(steps.map(({ count }, sweep) => [`count${sweep}`, count])),
    ...Object.fromEntries(steps.map(({ proximity }, sweep) => [`proximity${sweep}`, proximity])),
  };
  const inputs = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, scalarTensor(value)]));
  const graph = {
    name: `${steps.length} sweeps`,
    encode: () => encodeDictionarySweeps(steps.length, plan),
    reads: ['y', 'coefficients', 'atoms'],
    replaces: ['coefficients', 'atoms'],
  };
  const found = await graphs.run(graph, { ...inputs, places: placesTensor(own.atomCount) }, own.isLast);
  return {
    heldBack: found('new.heldBack')[0]!,
    objectives: [...objectives, ...steps.map((_, sweep) => found(`objective${sweep}`)[0]!)],
  };
}
