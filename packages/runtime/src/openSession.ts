import { checkWebgpu, fuseTransposes, halveAttention, type OnnxModel, serializeModel } from '@quern/onnx';
import { env, InferenceSession } from 'onnxruntime-node';
import { describeModel } from './describeModel.ts';
import type { Device } from './device/device.ts';
import { keepKernels } from './device/keepKernels.ts';
import { runtimeFailure } from './runtimeFailure.ts';

export interface SessionOptions {
  readonly device: Device;
  /** Threads of one operator; ONNX Runtime's choice (one per core) unless given. */
  readonly threads?: number;
  /**
   * Whether idle threads wait by spinning, true unless given: fast for many small operators, but they take the cores from other
   * sessions that work in turn with this one.
   */
  readonly spinning?: boolean;
  /** Leaves outputs in the memory of the device, as feeds of other sessions there; whoever gets one disposes of it. WebGPU only. */
  readonly keepOutputs?: boolean;
}

/** CUDA has GroupQueryAttention in float16 and bfloat16 alone (OperatorKernels.md of ONNX Runtime). */
const prepareFor: Readonly<Record<Device, (model: OnnxModel) => OnnxModel>> = {
  cpu: fuseTransposes,
  cuda: halveAttention,
  webgpu: model => model,
};

/** ONNX Runtime prints what it also throws; only what it cannot throw is left to it. */
const FATAL = 4;

/**
 * Opens a session over a header in memory whose weights stay in the files of `model.folder`.
 *
 * Nodes for which the device has no kernel run on the CPU; a device that cannot start at all is an error (see
 * `resolveDevice`). The caller releases the session.
 * Errors: those of `checkWebgpu` there; RUNTIME_FAILED with the model, ONNX Runtime's words and the next step.
 * Cost: the weights are mapped, not copied, but the CPU keeps a packed copy of every MatMul weight, behind a cast one where it is stored in
 * half precision.
 */
export async function openSession(model: OnnxModel, options: SessionOptions): Promise<InferenceSession> {
  if (options.device === 'webgpu') checkWebgpu(model, 'say --device cpu');
  env.logLevel = 'fatal';
  try {
    await keepKernels(options.device);
    return await InferenceSession.create(serializeModel(prepareFor[options.device](model)), {
      executionProviders: [options.device],
      logSeverityLevel: FATAL,
      ...(options.keepOutputs ? { preferredOutputLocation: 'gpu-buffer' } : {}),
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      extra: {
        session: {
          model_external_initializers_file_folder_path: model.folder,
          ...(options.spinning === false ? { intra_op: { allow_spinning: '0' } } : {}),
        },
      },
    });
  } catch (error) {
    throw runtimeFailure(error, `Cannot open ${describeModel(model)} on ${options.device}`, {
      folder: model.folder,
      device: options.device,
    });
  }
}
