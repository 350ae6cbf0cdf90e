import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { runtimeFailure } from './runtimeFailure.ts';

/**
 * Runs a session and returns its outputs.
 *
 * `subject` names the model in errors (see `describeModel`). The event loop is free before and blocked during the run.
 * Errors: RUNTIME_FAILED with the model, the shapes of the feeds, ONNX Runtime's words and the next step.
 */
export async function runSession(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  subject: string,
): Promise<Readonly<Record<string, Tensor>>> {
  try {
    return await session.run(feeds);
  } catch (error) {
    const shapes = Object.entries(feeds).map(([name, tensor]) => `${name} [${tensor.dims.join(', ')}]`);
    throw runtimeFailure(error, `Cannot run ${subject} with ${shapes.slice(0, 4).join(', ')}`, { shapes });
  }
}
