import { configFields } from './configFields.ts';
import { invalidConfig } from './invalidConfig.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/** How attention splits its features. */
export interface Heads {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headSize: number;
}

/** GroupQueryAttention of ONNX Runtime 1.30 takes no other head size. */
const HEAD_SIZE_MULTIPLE = 8;

/**
 * Reads the number of heads and their size.
 *
 * @param raw the parsed config.json
 * @param options `defaultHeadSize` where `head_dim` is absent, null for hidden size / heads; what messages call the file
 * @throws CompressionError `INVALID_CONFIG` for numbers that do not divide, `UNSUPPORTED_MODEL` for heads that the
 * operator does not take
 */
export function readHeads(
  raw: Readonly<Record<string, unknown>>,
  { defaultHeadSize, where }: { defaultHeadSize: number | null; where: string },
): Heads {
  const fields = configFields(raw, where);
  const hiddenSize = fields.count('hidden_size');
  const headCount = fields.count('num_attention_heads');
  const keyValueHeadCount = fields.count('num_key_value_heads', headCount);
  const context = { where, hiddenSize, headCount, keyValueHeadCount };
  if (headCount % keyValueHeadCount !== 0) {
    const text = `num_attention_heads ${headCount} is not a multiple of num_key_value_heads ${keyValueHeadCount}`;
    throw invalidConfig(`${where}: ${text}`, context);
  }
  const hasHeadSize = (raw.head_dim ?? defaultHeadSize) !== null;
  if (!hasHeadSize && hiddenSize % headCount !== 0) {
    const text = `head_dim is missing and hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${headCount}`;
    throw invalidConfig(`${where}: ${text}`, context);
  }
  const headSize = fields.count('head_dim', defaultHeadSize ?? hiddenSize / headCount);
  if (headSize % HEAD_SIZE_MULTIPLE !== 0) {
    const text = `heads of ${headSize} features; the attention operator takes multiples of ${HEAD_SIZE_MULTIPLE} only`;
    throw unsupportedModel(`${where}: ${text}`, { ...context, headSize });
  }
  return { headCount, keyValueHeadCount, headSize };
}
