import { createModel, DataType, int64Initializer, node, type OnnxModel, tensorInput } from '@quern/onnx';

export interface SumDecoderOptions {
  readonly cache: boolean;
  /** Element type of cache and logits. */
  readonly dataType: number;
}

/** Tokens that `sumDecoder` knows. */
export const VOCABULARY = 11;

/**
 * A decoder whose most likely next token is (sum of all ids so far + length of the attention mask + last position) mod 11.
 * With a cache it sums what the cache holds, so a wrong cache, mask or position shows as a wrong token.
 */
export function sumDecoder({ cache, dataType }: SumDecoderOptions): OnnxModel {
  const { FLOAT, INT64 } = DataType;
  const toFloat = { attributes: { to: { int: FLOAT } } };
  const toType = { attributes: { to: { int: dataType } } };
  const nodes = [
    node('Cast', ['input_ids'], ['ids'], toType),
    node('Unsqueeze', ['ids', 'state_axes'], ['state']),
    cache
      ? node('Concat', ['past_key_values.0.key', 'state'], ['present.0.key'], { attributes: { axis: { int: 2 } } })
      : node('Identity', ['state'], ['present.0.key']),
    node('Cast', ['present.0.key'], ['seen'], toFloat),
    node('ReduceSum', ['seen'], ['id_sum'], { attributes: { keepdims: { int: 0 } } }),
    node('Cast', ['attention_mask'], ['mask'], toFloat),
    node('ReduceSum', ['mask'], ['mask_sum'], { attributes: { keepdims: { int: 0 } } }),
    node('ReduceMax', ['position_ids'], ['last_position'], { attributes: { keepdims: { int: 0 } } }),
    node('Cast', ['last_position'], ['position'], toFloat),
    node('Sum', ['id_sum', 'mask_sum', 'position'], ['total']),
    node('Cast', ['total'], ['whole'], { attributes: { to: { int: INT64 } } }),
    node('Mod', ['whole', 'vocabulary'], ['next']),
    node('Sub', ['tokens', 'next'], ['signed']),
    node('Cast', ['signed'], ['signed_float'], toFloat),
    node('Abs', ['signed_float'], ['distance']),
    node('Neg', ['distance'], ['score']),
    node('Cast', ['score'], ['logits'], toType),
  ];
  const past = tensorInput('past_key_values.0.key', dataType, ['batch_size', 1, 'past_sequence_length', 1]);
  const present = tensorInput('present.0.key', dataType, ['batch_size', 1, 'total_sequence_length', 1]);
  return createModel({
    folder: '.',
    opsets: { '': 17 },
    irVersion: 8,
    graphName: 'sum_decoder',
    inputs: [
      tensorInput('input_ids', INT64, ['batch_size', 'sequence_length']),
      tensorInput('attention_mask', INT64, ['batch_size', 'total_sequence_length']),
      tensorInput('position_ids', INT64, ['batch_size', 'sequence_length']),
      ...(cache ? [past] : []),
    ],
    outputs: [...(cache ? [present] : []), tensorInput('logits', dataType, [1, 1, VOCABULARY])],
    initializers: [
      int64Initializer('state_axes', [1, 3]),
      int64Initializer('vocabulary', [VOCABULARY], []),
      int64Initializer(
        'tokens',
        Array.from({ length: VOCABULARY }, (_, id) => id),
        [1, 1, VOCABULARY],
      ),
    ],
    nodes,
  });
}
