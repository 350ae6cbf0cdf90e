import { DataType, type OnnxModel } from '@quern/onnx';
import { bindWeights } from './bindWeights.ts';
import { buildDecoder } from './buildDecoder.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import { readCheckpointTensors } from './readCheckpointTensors.ts';
import { readDecoderConfig } from './readDecoderConfig.ts';

/** A checkpoint as an ONNX decoder. */
export interface ImportedModel {
  /** Its folder is the one that holds the safetensors files, links followed. */
  readonly model: OnnxModel;
  readonly config: DecoderConfig;
}

/**
 * Turns a Hugging Face folder into an ONNX decoder graph whose external data points into the safetensors files in place:
 * no weight is read or copied.
 *
 * @param folder holds config.json and model.safetensors, or its shards with model.safetensors.index.json
 * @param options `dtype`: type of activations, folded weights and cache; logits are float32 in both
 * @throws CompressionError `MODEL_NOT_FOUND`, `INVALID_CONFIG`, `UNSUPPORTED_MODEL`, `ALREADY_QUANTIZED`,
 * `INVALID_SAFETENSORS`, `MISSING_TENSOR`, `INVALID_SHAPE`
 * Cost: reads the headers; the graph is a few hundred bytes a weight.
 */
export async function importCheckpoint(folder: string, options: { dtype: 'fp32' | 'fp16' }): Promise<ImportedModel> {
  const config = await readDecoderConfig(folder);
  const checkpoint = await readCheckpointTensors(folder);
  const weights = bindWeights(config, checkpoint.tensors);
  const computeType = options.dtype === 'fp16' ? DataType.FLOAT16 : DataType.FLOAT;
  return { model: buildDecoder(config, weights, { computeType, folder: checkpoint.folder }), config };
}
