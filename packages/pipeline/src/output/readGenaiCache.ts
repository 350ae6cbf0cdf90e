import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';

/** Inputs besides the cache that onnxruntime-genai fills for a text decoder. */
export const TEXT_INPUTS: readonly string[] = ['input_ids', 'attention_mask', 'position_ids'];

/** Names of the cache as genai_config.json spells them; `%d` is the block. */
export const genaiNames = {
  pastKey: 'past_key_values.%d.key',
  pastValue: 'past_key_values.%d.value',
  presentKey: 'present.%d.key',
  presentValue: 'present.%d.value',
} as const;

export interface GenaiCache {
  readonly blockCount: number;
  /** Null where the graph leaves the size open. */
  readonly keyValueHeadCount: number | null;
  readonly headSize: number | null;
}

/**
 * Checks a graph's inputs and outputs, and reads the cache's shape `[batch, heads, length, headSize]`.
 *
 * Errors: INVALID_OPTION for a graph that is no decoder with such a cache, or has inputs that genai does not fill.
 */
export function readGenaiCache(model: OnnxModel, path: string): GenaiCache {
  const graph = model.proto.graph;
  const inputs = (graph?.input ?? []).filter(({ name }) => !graph?.initializer.some(tensor => tensor.name === name));
  const outputs = new Set((graph?.output ?? []).map(({ name }) => name));
  let blockCount = 0;
  while (inputs.some(({ name }) => name === nameOf(genaiNames.pastKey, blockCount))) blockCount++;
  const { pastKey, pastValue, presentKey, presentValue } = genaiNames;
  const each = (...patterns: string[]) =>
    Array.from({ length: blockCount }, (_, block) => patterns.map(pattern => nameOf(pattern, block))).flat();
  const past = each(pastKey, pastValue);
  const wanted = ['logits', ...each(presentKey, presentValue)];
  const names = inputs.map(({ name }) => name);
  const missing = ['input_ids', ...past].find(name => !names.includes(name));
  const missingOutput = wanted.find(name => !outputs.has(name));
  const stray = names.find(name => !TEXT_INPUTS.includes(name) && !past.includes(name));
  const problem =
    blockCount === 0
      ? `no input ${nameOf(pastKey, 0)}`
      : missing
        ? `no input ${missing}`
        : missingOutput
          ? `no output ${missingOutput}`
          : stray && `an input ${stray}, which it does not fill`;
  if (problem) {
    throw new CompressionError(
      'INVALID_OPTION',
      `--layout genai needs a decoder with a key-value cache as onnxruntime-genai feeds it; ${path} has ${problem}. Use --layout transformersjs.`,
      { path },
    );
  }
  const type = inputs.find(({ name }) => name === past[0])!.type?.value;
  const dims = type?.case === 'tensorType' ? (type.value.shape?.dim ?? []) : [];
  const fixed = dims.map(({ value }) => (value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null));
  return { blockCount, keyValueHeadCount: fixed[1] ?? null, headSize: fixed[3] ?? null };
}

function nameOf(pattern: string, block: number): string {
  return pattern.replace('%d', String(block));
}
