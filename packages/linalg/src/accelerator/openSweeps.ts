import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Matrix } from '../matrix.ts';
import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import type { Accelerator } from './accelerator.ts';
import { encodeDictionarySweeps, type SweepConstants } from './encodeDictionarySweeps.ts';

/** Where sweeps run. */
export interface SweepPlace {
  readonly device: Accelerator['device'];
  readonly threads: number;
}

/** What learning begins with, Y = coefficients atoms. */
export interface SweepMatrices {
  readonly y: Matrix<Float32Array>;
  readonly coefficients: Matrix<Float32Array>;
  readonly atoms: Matrix<Float32Array>;
}

/** One sweep's own numbers. */
export interface SweepStep {
  /** How much coefficients are held back, relative to the curvature along one atom. */
  readonly proximity: number;
  /** How many stay. */
  readonly count: number;
}

/** What sweeps hand on beside the matrices. */
export interface SweepProgress {
  /** What proximities are multiplied by. */
  readonly heldBack: number;
  /** What was left over after each fit of the atoms, of 1. */
  readonly objectives: readonly number[];
}

/** Sweeps over matrices that are there. */
export interface Sweeps {
  /** Goes on from where the last run ended. With `isLast` the matrices come back. */
  run(steps: readonly SweepStep[], before: SweepProgress, isLast: boolean): Promise<SweepProgress>;
  /** Coefficients and atoms after the last run. */
  code(): Omit<SweepMatrices, 'y'>;
  close(): Promise<void>;
}

const MATRICES = ['y', 'atoms', 'coefficients'] as const;

/** Whether matrices stay on the device from run to run: ONNX Runtime for Node leaves them there with WebGPU alone. */
export function staysThere(device: Accelerator['device']): boolean {
  return device === 'webgpu';
}

/** Sends matrices to a device and runs graphs of sweeps over them. */
export async function openSweeps(
  matrices: SweepMatrices,
  constants: SweepConstants,
  { device, threads }: SweepPlace,
): Promise<Sweeps> {
  const sessions = new Map<string, InferenceSession>();
  const open = async (key: string, graph: Uint8Array, kept: readonly string[]): Promise<InferenceSession> => {
    const session = await InferenceSession.create(graph, {
      executionProviders: [device],
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      preferredOutputLocation: Object.fromEntries(kept.map(name => [name, 'gpu-buffer'])),
    });
    sessions.set(key, session);
    return session;
  };
  const { rows: atomCount, columns } = matrices.atoms;
  const places = new Tensor(
    'float32',
    Float32Array.from({ length: atomCount }, (_, atom) => atom),
    [atomCount, 1],
  );
  const state = new Map<string, Tensor>();
  const put = (name: string, tensor: Tensor): void => {
    free(state.get(name));
    state.set(name, tensor);
  };
  for (const name of MATRICES) {
    const { rows, columns, data } = matrices[name];
    put(name, new Tensor('float32', data, [rows, columns]));
  }
  if (staysThere(device)) {
    const sent = await (await open('copy', encodeCopies(), MATRICES.map(copyOf))).run(Object.fromEntries(state));
    for (const name of MATRICES) put(name, sent[copyOf(name)]!);
  }
  return {
    async run(steps, { heldBack, objectives }, isLast) {
      const stays = staysThere(device) && !isLast;
      const key = `${steps.length} ${stays}`;
      const kept = stays ? ['new.atoms', 'new.coefficients'] : [];
      const session = sessions.get(key) ?? (await open(key, encodeDictionarySweeps(steps.length, constants), kept));
      const outputs = await session.run({
        ...Object.fromEntries(state),
        places,
        heldBack: scalar(heldBack),
        objective: scalar(objectives.at(-1) ?? 1),
        ...Object.fromEntries(
          steps.flatMap(({ count, proximity }, sweep) => [
            [`count${sweep}`, scalar(count)],
            [`proximity${sweep}`, scalar(proximity)],
          ]),
        ),
      });
      for (const name of ['atoms', 'coefficients']) put(name, outputs[`new.${name}`]!);
      const number = (name: string): number => Number((outputs[name]!.data as Float32Array)[0]);
      return {
        heldBack: number('new.heldBack'),
        objectives: [...objectives, ...steps.map((_, sweep) => number(`objective${sweep}`))],
      };
    },
    code() {
      const dataOf = (name: string): Float32Array => state.get(name)!.data as Float32Array;
      return {
        coefficients: { rows: matrices.y.rows, columns: atomCount, data: dataOf('coefficients') },
        atoms: { rows: atomCount, columns, data: dataOf('atoms') },
      };
    },
    async close() {
      for (const tensor of state.values()) free(tensor);
      for (const session of sessions.values()) await session.release();
    },
  };
}

function scalar(value: number): Tensor {
  return new Tensor('float32', Float32Array.of(value), []);
}

/** Only what lies on the device: what came back is the caller's. */
function free(tensor: Tensor | undefined): void {
  if (tensor?.location === 'gpu-buffer') tensor.dispose();
}

const copyOf = (name: string): string => `${name}.copy`;

/** What ONNX Runtime leaves on a device is the output of a graph, and never an input. */
function encodeCopies(): Uint8Array {
  const value = (name: string) => ({ name, dimensions: [`${name.slice(0, 1)}0`, `${name.slice(0, 1)}1`] });
  return encodeGraph({
    name: 'copies',
    precision: 'float32',
    opset: 18,
    nodes: MATRICES.map(name => ({ opType: 'Identity', inputs: [name], outputs: [copyOf(name)] })),
    inputs: MATRICES.map(value),
    outputs: MATRICES.map(name => ({ ...value(name), name: copyOf(name) })),
  });
}
