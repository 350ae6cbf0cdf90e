import { CompressionError } from '@quern/core';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { emptyPast, isPast } from './emptyPast.ts';

/** Token sequences for one run of a decoder. */
export interface TextBatch {
  /** `[batch]` sequences, at least one; shorter ones are padded on the right. */
  readonly ids: readonly Int32Array[];
  /** Fills the right of shorter sequences, 0 unless given. What a causal model computes before it does not change. */
  readonly padId?: number;
  /** The cache of the `length` tokens before these; absent at the start of a text. */
  readonly past?: { readonly length: number; readonly values: Readonly<Record<string, Tensor>> };
  /** Logits wanted at the end of each sequence, where the graph can leave out the others; all unless given. */
  readonly keepLast?: number;
  /** Feeds of inputs that are none of a text, by name. */
  readonly others?: Readonly<Record<string, Tensor>>;
}

type Integers = 'int64' | 'int32';

/**
 * The feeds that a text decoder's graph asks for: `input_ids` and, where they are inputs, `attention_mask` (all ones, also
 * over the padding), `position_ids` (0, 1, 2, ...; also `[3, batch, sequence]`), `cache_position`, `token_type_ids` (zeros),
 * `num_logits_to_keep`, `use_cache_branch`, and caches named `past...` (empty at the start of a text). int32 or int64,
 * float32 or float16, as the graph declares.
 *
 * Errors: UNSUPPORTED_MODEL with the name of an input that no text gives.
 */
export function textFeeds(session: InferenceSession, batch: TextBatch): Record<string, Tensor> {
  if (!session.inputNames.includes('input_ids')) throw unsupported(session, 'has no input "input_ids"');
  const feedOf = (input: InferenceSession.ValueMetadata) =>
    batch.others?.[input.name] ?? textFeed(session, input, batch);
  return Object.fromEntries(session.inputMetadata.map(input => [input.name, feedOf(input)]));
}

/** What a text gives for one input of a graph. Errors: UNSUPPORTED_MODEL with the input's name when it gives nothing. */
export function textFeed(session: InferenceSession, input: InferenceSession.ValueMetadata, batch: TextBatch): Tensor {
  const { name } = input;
  if (!input.isTensor) throw unsupported(session, `has an input "${name}" that is no tensor`);
  const rows = batch.ids.length;
  const length = batch.ids.reduce((longest, ids) => Math.max(longest, ids.length), 0);
  const pastLength = batch.past?.length ?? 0;
  const integers = input.type as Integers;
  if (isPast(name)) return batch.past?.values[name] ?? emptyPast(input, rows);
  if (name === 'input_ids') {
    const fill = (index: number) => batch.ids[Math.floor(index / length)]![index % length] ?? batch.padId ?? 0;
    return integerTensor(integers, [rows, length], fill);
  }
  if (name === 'attention_mask' && input.shape.length === 2) {
    return integerTensor(integers, [rows, pastLength + length], () => 1);
  }
  if (name === 'position_ids') {
    const dims = input.shape.length === 3 ? [3, rows, length] : [rows, length];
    return integerTensor(integers, dims, index => pastLength + (index % length));
  }
  if (name === 'cache_position') return integerTensor(integers, [length], index => pastLength + index);
  if (name === 'token_type_ids') return integerTensor(integers, [rows, length], () => 0);
  if (name === 'num_logits_to_keep' || name === 'logits_to_keep') {
    return integerTensor(integers, input.shape.length === 0 ? [] : [1], () => batch.keepLast ?? length);
  }
  if (name === 'use_cache_branch') return new Tensor('bool', Uint8Array.of(pastLength > 0 ? 1 : 0), [1]);
  throw unsupported(session, `has an input "${name}" [${input.shape.join(', ')}] that a text does not give`);
}

/** int64 values are written as pairs of 32-bit words: BigInts cost more than a small model's arithmetic. */
function integerTensor(type: Integers, dims: readonly number[], valueAt: (index: number) => number): Tensor {
  const count = dims.reduce((product, size) => product * size, 1);
  if (type === 'int32')
    return new Tensor(
      'int32',
      Int32Array.from({ length: count }, (_, i) => valueAt(i)),
      dims,
    );
  const data = new BigInt64Array(count);
  const words = new Int32Array(data.buffer);
  for (let index = 0; index < count; index++) words[2 * index] = valueAt(index);
  return new Tensor('int64', data, dims);
}

function unsupported(session: InferenceSession, what: string): CompressionError {
  return new CompressionError(
    'UNSUPPORTED_MODEL',
    `The model ${what}, so it cannot be run on text (inputs: ${session.inputNames.join(', ')}). ` +
      'Text needs a decoder that reads input_ids.',
    { inputs: [...session.inputNames] },
  );
}
