import { DataType } from '@quern/onnx';
import type { GraphDraft } from './graphDraft.ts';

/** What the blocks need to know of where each row's tokens stand. */
export interface BatchLayout {
  /**
   * int64 `[batch, sequence]`: row of the caller's flattened `[batch * sequence]` tokens that stands at each place inside,
   * where leading padding has moved to the end.
   */
  readonly insideOrder: string;
  /** int64 `[batch, sequence]`: each token's position among the row's tokens that are not padding. */
  readonly positionIds: string;
  /** int32 `[batch]`: the cache's length after this run, minus one, as GroupQueryAttention wants it. */
  readonly lastKeyIndex: string;
  /** int32 scalar: columns of the attention mask. */
  readonly totalLength: string;
  /** int64 `[batch, sequence]`: the inverse, where inside the caller's tokens stand. */
  readonly callerOrder: string;
}

/**
 * Makes padding on either side right for GroupQueryAttention, which writes new keys at the row's own length and masks
 * nothing but the future: it takes padding at the end only.
 *
 * Each row of embedded tokens is rolled left by its leading padding (`insideOrder`), runs as if padded at the end, and the
 * result is rolled back (`callerOrder`). A step of one token is not moved. The embedding itself reads `input_ids` directly, as
 * tools that look for it expect. Rows may have cached different numbers of tokens; padding that was cached lies behind
 * the row's length and is overwritten. Holes inside a row are not supported, nor are several new tokens after cached ones in
 * a batch above 1 (the operator refuses).
 *
 * `lastKeyIndex` counts padding of the current run as tokens: nothing after them looks at them, and their own results,
 * which nobody reads, stay finite.
 */
export function addBatchLayout(draft: GraphDraft): BatchLayout {
  const root = '/model/batch_layout';
  const add = (name: string, opType: string, inputs: readonly string[], attributes = {}) =>
    draft.add(`${root}/${name}/${opType}`, opType, inputs, { attributes });
  const length = (name: string, input: string, axis: number) =>
    add(name, 'Shape', [input], { start: { int: axis }, end: { int: axis + 1 } });
  const rowSum = (name: string, input: string) =>
    add(name, 'ReduceSum', [input, draft.constant([1])], { keepdims: { int: 1 } });
  const range = (name: string, count: string) =>
    add(name, 'Range', [draft.constant(0), add(`${name}_count`, 'Squeeze', [count]), draft.constant(1)]);

  const batch = length('batch', 'input_ids', 0);
  const sequence = length('sequence', 'input_ids', 1);
  const total = length('total', 'attention_mask', 1);
  const columns = range('columns', sequence); // [sequence]

  const past = add('past', 'Sub', [total, sequence]);
  const current = add('current', 'Slice', ['attention_mask', past, total, draft.constant([1])]); // [batch, sequence]
  const cached = add('cached', 'Sub', [rowSum('tokens', 'attention_mask'), rowSum('new_tokens', current)]); // [batch, 1]
  const currentFlags = add('flags', 'Cast', [current], { to: { int: DataType.INT32 } });
  const leading = add('leading', 'ArgMax', [currentFlags], { axis: { int: 1 }, keepdims: { int: 1 } }); // [batch, 1]

  const insideColumns = add('inside', 'Mod', [add('inside', 'Add', [columns, leading]), sequence]);
  const backwards = add('caller', 'Add', [add('caller', 'Sub', [columns, leading]), sequence]);
  const callerColumns = add('caller', 'Mod', [backwards, sequence]);
  const rowStarts = add('row_starts', 'Mul', [range('rows', batch), sequence]); // [batch]
  const rowStartColumn = add('row_starts', 'Unsqueeze', [rowStarts, draft.constant([1])]);

  const lastNew = add('last_new', 'Sub', [sequence, draft.constant([1])]);
  const lastKey = add('last_key', 'Add', [cached, lastNew]);
  const lastKeyRow = add('last_key', 'Squeeze', [lastKey, draft.constant([1])]);
  return {
    insideOrder: add('inside_order', 'Add', [insideColumns, rowStartColumn]),
    positionIds: add('positions', 'Add', [columns, cached]),
    lastKeyIndex: add('last_key', 'Cast', [lastKeyRow], { to: { int: DataType.INT32 } }),
    totalLength: add('total', 'Cast', [add('total', 'Squeeze', [total])], { to: { int: DataType.INT32 } }),
    callerOrder: add('caller_order', 'Add', [callerColumns, rowStartColumn]),
  };
}
