import { CompressionError } from '@quern/core';
import { isQuantized } from '@quern/onnx';
import type { OpenedModel } from './openModel.ts';

/** Errors: ALREADY_QUANTIZED naming the operator that shows it. */
export function refuseQuantized({ model, path }: OpenedModel): void {
  const operator = isQuantized(model);
  if (!operator) return;
  throw new CompressionError(
    'ALREADY_QUANTIZED',
    `${path} is quantised already (it holds ${operator}): compress the model it was made from.`,
    { model: path, operator },
  );
}
