import { addWeight } from './addWeight.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import type { FloatType, GraphDraft } from './graphDraft.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

export interface EmbeddingOptions {
  /** `[vocabularySize, hiddenSize]`. */
  readonly table: StoredTensor;
  /** Multiplies what is looked up. */
  readonly factor: DecoderConfig['embeddingFactor'];
  /** Of the result. */
  readonly type: FloatType;
}

/** What the lookup reads and gives. */
export interface Embedding {
  /** The table in the compute type. */
  readonly table: string;
  /** `[batch, sequence, hiddenSize]`. */
  readonly embedded: string;
}

/**
 * Writes the lookup of `input_ids`.
 *
 * The root of the hidden size is rounded to the type that the table is stored in: transformers casts it to the type of the weight, bfloat16 in the checkpoints
 * of Gemma as in their training, where 25.298 is 25.25.
 */
export function addEmbedding(draft: GraphDraft, { table, factor, type }: EmbeddingOptions): Embedding {
  const path = '/model/embed_tokens';
  const weight = addWeight(draft, table, `${path.slice(1).replace('/', '.')}.weight`);
  const rows = draft.add(`${path}/Gather`, 'Gather', [weight, 'input_ids']);
  const wide = draft.cast(rows, path, { from: draft.computeType, to: type });
  if (factor === 1) return { table: weight, embedded: wide };
  const value = factor === 'rootOfHiddenSize' ? ROUND[table.dtype]!(Math.sqrt(table.shape[1]!)) : factor;
  return { table: weight, embedded: draft.add(`${path}/Mul`, 'Mul', [wide, draft.scalar(value, type)]) };
}

const ROUND: Readonly<Record<string, (value: number) => number>> = {
  F32: Math.fround,
  F16: Math.f16round,
  BF16: roundToBfloat16,
};

/** The upper half of a float32, to nearest, ties to even. */
function roundToBfloat16(value: number): number {
  const words = new Uint32Array(Float32Array.of(value).buffer);
  words[0] = (words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(words.buffer)[0]!;
}
