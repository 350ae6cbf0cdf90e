import { createModel, DataType, floatInitializer, node, type OnnxModel, tensorInput } from '@quern/onnx';

export interface TableOptions {
  readonly opset?: number;
  /** Element type of the logits: `DataType.FLOAT` unless given. */
  readonly logitType?: number;
}

/** A model whose logits depend on the current token alone: row `id` of the table. */
export function tableModel(table: readonly (readonly number[])[], options: TableOptions = {}): OnnxModel {
  const vocabularySize = table[0]!.length;
  const logitType = options.logitType ?? DataType.FLOAT;
  return createModel({
    folder: '.',
    opsets: { '': options.opset ?? 17 },
    irVersion: 8,
    graphName: 'table',
    inputs: [tensorInput('input_ids', DataType.INT64, ['batch_size', 'sequence_length'])],
    outputs: [tensorInput('logits', logitType, ['batch_size', 'sequence_length', vocabularySize])],
    initializers: [floatInitializer('table', table.flat(), [table.length, vocabularySize])],
    nodes: [
      node('Gather', ['table', 'input_ids'], ['float_logits']),
      node('Cast', ['float_logits'], ['logits'], { attributes: { to: { int: logitType } } }),
    ],
  });
}
