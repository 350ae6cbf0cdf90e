import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { runtimeFailure } from './runtimeFailure.ts';

/**
 * Runs a session and returns its outputs, or only those that `fetches` names.
 *
 * `subject` names the model in errors (see `describeModel`). Tensors among the fetches are preallocated outputs, which are filled.
 * The event loop is free before and blocked during the run.
 * Errors: RUNTIME_FAILED with the model, the shapes of the feeds, ONNX Runtime's words and the next step.
 */
export async function runSession(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  subject: string,
  fetches?: InferenceSession.FetchesType,
): Promise<Readonly<Record<string, Tensor>>> {
  try {
    for (const tensor of Object.values(feeds)) holdHalfAsBits(tensor);
    return await (fetches ? session.run(feeds, fetches) : session.run(feeds));
  } catch (error) {
    const shapes = Object.entries(feeds).map(([name, tensor]) => `${name} [${tensor.dims.join(', ')}]`);
    throw runtimeFailure(error, `Cannot run ${subject} with ${shapes.slice(0, 4).join(', ')}`, { shapes });
  }
}

/**
 * onnxruntime-node 1.30 reads float16 from a Uint16Array only, but keeps it in a Float16Array where Node has that class:
 * hands the same bytes over as bits.
 */
function holdHalfAsBits(tensor: Tensor): void {
  if (tensor.type !== 'float16' || tensor.location !== 'cpu' || tensor.data instanceof Uint16Array) return;
  const { buffer, byteOffset, length } = tensor.data as unknown as Float16Array;
  (tensor as unknown as { cpuData: Uint16Array }).cpuData = new Uint16Array(buffer, byteOffset, length);
}
