import { CompressionError } from '@quern/core';
import { DataType, elementTypeOf, type OnnxModel } from '@quern/onnx';
import { describeModel } from './describeModel.ts';

/** Where a decoder returns its logits. */
export interface LogitsOutput {
  readonly name: string;
  /** Element type, a `DataType`. */
  readonly dataType: number;
  /** Size of the vocabulary; null when the graph leaves it open. */
  readonly vocabularySize: number | null;
}

/**
 * Finds the logits `[batch, sequence, vocabulary]` among a graph's outputs: the one called `logits`, or the only
 * floating-point output that is no cache.
 *
 * Errors: UNSUPPORTED_MODEL when there is none or more than one candidate.
 */
export function findLogits(model: OnnxModel): LogitsOutput {
  const outputs = model.proto.graph?.output ?? [];
  const candidates = outputs.filter(output => !output.name.startsWith('present') && isFloat(elementTypeOf(output)));
  const named = candidates.find(output => output.name === 'logits');
  const chosen = named ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (!chosen) {
    const names = outputs.map(output => output.name).join(', ') || 'none';
    throw new CompressionError(
      'UNSUPPORTED_MODEL',
      `Cannot tell which output of ${describeModel(model)} holds the logits (outputs: ${names}). ` +
        'Text needs a decoder with an output named "logits".',
      { folder: model.folder, outputs: outputs.map(output => output.name) },
    );
  }
  const last = tensorType(chosen)?.shape?.dim.at(-1)?.value;
  const vocabularySize = last?.case === 'dimValue' && last.value > 0n ? Number(last.value) : null;
  return { name: chosen.name, dataType: elementTypeOf(chosen), vocabularySize };
}

type Output = NonNullable<OnnxModel['proto']['graph']>['output'][number];

function tensorType(output: Output) {
  return output.type?.value.case === 'tensorType' ? output.type.value.value : undefined;
}

function isFloat(dataType: number): boolean {
  return dataType === DataType.FLOAT || dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16;
}
