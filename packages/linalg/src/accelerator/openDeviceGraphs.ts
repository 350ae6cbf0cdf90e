import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Matrix } from '../matrix.ts';
import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import { sessionOptions } from '../onnxruntime/sessionOptions.ts';
import type { Accelerator } from './accelerator.ts';

/** A graph over matrices that are there. */
export interface DeviceGraph {
  /** One graph has one name. */
  readonly name: string;
  readonly encode: () => Uint8Array;
  /** Matrices that it takes. */
  readonly reads: readonly string[];
  /** Matrices that it replaces, by its outputs `new.` and their names. */
  readonly replaces: readonly string[];
}

/** Graphs, and the matrices that they work on. */
export interface DeviceGraphs {
  /**
   * Runs a graph over the matrices and these inputs, and gives its other outputs. With `comesBack` what it replaces comes back, for
   * `matrix`.
   */
  run(
    graph: DeviceGraph,
    inputs: Readonly<Record<string, Tensor>>,
    comesBack: boolean,
  ): Promise<(output: string) => Float32Array>;
  /** One that came back. */
  matrix(name: string): Matrix<Float32Array>;
  close(): Promise<void>;
}

/** Whether matrices stay on the device from run to run: ONNX Runtime for Node leaves them there with WebGPU alone. */
export function staysThere(device: Accelerator['device']): boolean {
  return device === 'webgpu';
}

/** Sends matrices to a device, for graphs over them. Where that fails nothing stays there. */
export async function openDeviceGraphs(
  matrices: Readonly<Record<string, Matrix<Float32Array>>>,
  { device, threads }: Pick<Accelerator, 'device'> & { readonly threads: number },
): Promise<DeviceGraphs> {
  const sessions = new Map<string, InferenceSession>();
  // An operator without a kernel on the device would bring its matrices back: that is to be an error.
  const entries = { disable_cpu_ep_fallback: device === 'webgpu' ? '1' : '0' };
  const open = async (name: string, graph: Uint8Array, kept: readonly string[]): Promise<InferenceSession> => {
    const session = await InferenceSession.create(graph, {
      ...sessionOptions({ device, threads }, entries),
      preferredOutputLocation: Object.fromEntries(kept.map(output => [output, 'gpu-buffer'])),
    });
    sessions.set(name, session);
    return session;
  };
  const held = new Map<string, Tensor>();
  const hold = (name: string, tensor: Tensor): void => {
    free(held.get(name));
    held.set(name, tensor);
  };
  const close = async (): Promise<void> => {
    for (const tensor of held.values()) free(tensor);
    for (const session of sessions.values()) await session.release();
  };
  try {
    for (const [name, { rows, columns, data }] of Object.entries(matrices)) {
      const sent = new Tensor('float32', data, [rows, columns]);
      if (!staysThere(device)) {
        hold(name, sent);
        continue;
      }
      const copy = sessions.get('copy') ?? (await open('copy', encodeCopy(), ['copy']));
      hold(name, (await copy.run({ sent })).copy!);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async run({ name, encode, reads, replaces }, inputs, comesBack) {
      const stays = staysThere(device) && !comesBack;
      const key = `${name} ${stays}`;
      const replaced = replaces.map(matrix => `new.${matrix}`);
      const session = sessions.get(key) ?? (await open(key, encode(), stays ? replaced : []));
      const read = Object.fromEntries(reads.map(matrix => [matrix, held.get(matrix)!]));
      const outputs = await session.run({ ...read, ...inputs });
      for (const matrix of replaces) hold(matrix, outputs[`new.${matrix}`]!);
      return output => outputs[output]!.data as Float32Array;
    },
    matrix(name) {
      const { dims, data } = held.get(name)!;
      return { rows: dims[0]!, columns: dims[1]!, data: data as Float32Array };
    },
    close,
  };
}

/** An input without dimensions. */
export function scalarTensor(value: number): Tensor {
  return new Tensor('float32', Float32Array.of(value), []);
}

/** 0, 1, 2 ... `[count, 1]`. */
export function placesTensor(count: number): Tensor {
  return new Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, place) => place),
    [count, 1],
  );
}

/** Only what lies on the device: what came back is the caller's. */
function free(tensor: Tensor | undefined): void {
  if (tensor?.location === 'gpu-buffer') tensor.dispose();
}

/** What ONNX Runtime leaves on a device is the output of a graph, and never an input. */
function encodeCopy(): Uint8Array {
  const value = (name: string) => ({ name, dimensions: ['rows', 'columns'] });
  return encodeGraph({
    ...{ name: 'copy', precision: 'float32', opset: 18 },
    nodes: [{ opType: 'Identity', inputs: ['sent'], outputs: ['copy'] }],
    inputs: [value('sent')],
    outputs: [value('copy')],
  });
}
