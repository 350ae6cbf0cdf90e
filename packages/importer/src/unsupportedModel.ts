import { CompressionError } from '@quern/core';

/** The error for a model that the graph builder would get wrong. `what` ends without a full stop. */
export function unsupportedModel(what: string, context: Readonly<Record<string, unknown>>): CompressionError {
  const next = 'Export the model to ONNX elsewhere and pass the .onnx file';
  return new CompressionError('UNSUPPORTED_MODEL', `${what}. ${next}.`, context);
}
