import { CompressionError } from '@quern/core';

/** Phrases of ONNX Runtime's messages and what to do about them. The first that matches counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ExecutionProvider_|WebGPU adapter/i, 'The device cannot start: `quern doctor` tells what is missing.'],
  [
    /bad_alloc|failed to allocate|out of memory/i,
    'There is not enough memory: use a shorter window, smaller batches or another device.',
  ],
  [
    /exceeding maxStorageBufferBindingSize|device lost|\[Invalid Buffer/,
    'The device cannot hold a tensor of this size, or has no memory left: use a shorter window or --device cpu.',
  ],
  [
    /external data|model_external_initializers|External initializer|cannot open file|No such file/i,
    'The files with the weights must stand in that folder, complete and unchanged.',
  ],
  [
    /No Op registered|is not a registered function\/op|Could not find an implementation|NOT_IMPLEMENTED/i,
    'This ONNX Runtime has no kernel for an operator of the model: try another device, or export it with other operators.',
  ],
  [
    /opset|ir_version|Unsupported model IR version/i,
    'The model is newer than this ONNX Runtime, which reads opset 26 and IR 13: export it with an older opset.',
  ],
  [
    /indices element out of data bounds|out of bounds/i,
    'A token id is outside of the vocabulary: use the tokenizer that belongs to the model.',
  ],
  [
    /broadcast|Got invalid dimensions|shape/i,
    'The input may be longer than the context for which the model was exported: use a shorter window.',
  ],
];

/**
 * Wraps what ONNX Runtime threw.
 *
 * `subject` names the model and what was being done with it, as in `Cannot run the model in /models/a`. The message keeps
 * the engine's own words and adds the next step. A CompressionError passes through unchanged.
 */
export function runtimeFailure(
  error: unknown,
  subject: string,
  context: Readonly<Record<string, unknown>> = {},
): Error {
  if (error instanceof CompressionError) return error;
  const words = error instanceof Error ? error.message : String(error);
  const detail = words.trim().replace(/\s+/g, ' ').replace(/\.$/, '');
  const advice = ADVICE.find(([phrase]) => phrase.test(detail))?.[1] ?? 'Check the file with `quern inspect`.';
  return new CompressionError(
    'RUNTIME_FAILED',
    `${subject}: ${detail}. ${advice}`,
    { ...context, detail },
    { cause: error },
  );
}
