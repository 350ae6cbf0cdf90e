import { CompressionError } from '@quern/core';
import { DataType, modelTensors, type OnnxModel, tensorSize, type ValueInfoProto } from '@quern/onnx';
import { type Device, type FreeMemory, freeMemory } from '@quern/runtime';
import type { Emit } from '../events.ts';
import { formatBytes } from '../report/formatBytes.ts';
import type { OpenedModel } from './openModel.ts';

export interface WritingRequest {
  readonly device: Device;
  /** Texts that grow together, and how long they may become, in tokens. */
  readonly texts: number;
  readonly tokens: number;
  /** Tokens that are read together before the first is written. */
  readonly promptTokens: number;
  /** What needs the memory, and what to do where it is not there. */
  readonly what: string;
  readonly nextStep: string;
}

/**
 * Refuses to open a whole model for writing where the kernel would end the process for it, and warns where it would lie in swap in part. On
 * an accelerator the weights lie in memory of its own, which refuses by itself.
 *
 * Errors: OUT_OF_MEMORY with what is needed, what is free and the next step.
 */
export async function checkMemory(
  { path, model }: Pick<OpenedModel, 'path' | 'model'>,
  request: WritingRequest,
  { emit, readFree = freeMemory }: { readonly emit: Emit; readonly readFree?: () => Promise<FreeMemory> },
): Promise<void> {
  if (request.device !== 'cpu') return;
  const weights = Math.round(RUNTIME_BYTES + openingBytes(model));
  const texts = textBytes(model, request);
  const needed = weights + texts;
  const { memoryBytes, swapBytes } = await readFree();
  if (needed <= memoryBytes) return;
  const takes = `${request.what} opens the whole model: ${path} takes about ${formatBytes(needed)} of memory (weights ${formatBytes(weights)}, texts ${formatBytes(texts)}), and ${formatBytes(memoryBytes)} are free`;
  if (needed <= memoryBytes + swapBytes) {
    const swapped = formatBytes(needed - memoryBytes);
    emit({
      kind: 'warning',
      message: `${takes}: ${swapped} go to swap (${formatBytes(swapBytes)} free), which is slow. To avoid it, ${request.nextStep}.`,
    });
    return;
  }
  const swap = swapBytes > 0 ? `, with ${formatBytes(swapBytes)} of swap beside them` : '';
  throw new CompressionError('OUT_OF_MEMORY', `${takes}${swap}: ${request.nextStep}.`, {
    path,
    needed,
    free: memoryBytes,
    swap: swapBytes,
  });
}

/** What the runtime takes beside weights and texts: code, threads, buffers between operators. */
const RUNTIME_BYTES = 100e6;

/** Bytes in memory for a byte in the file: a float32 weight is mapped, and packed; half precision that stays so is cast and turned. */
const OPENED: ReadonlyMap<number, number> = new Map([
  [DataType.FLOAT, 1.15],
  [DataType.FLOAT16, 3.5],
  [DataType.UINT8, 2],
]);

/** The same for what is cast to float32, each time that it is read: packed for a product, kept for a look-up. */
const OPENED_CAST = 2.3;

/** The most memory that opening a model takes at once on a CPU, about and rather more, in bytes: measured with Llamas of 341 and 385 million parameters. */
function openingBytes({ proto }: OnnxModel): number {
  const nodes = proto.graph?.node ?? [];
  const reads = nodes.flatMap(({ input }) => input);
  const casts = new Map(nodes.filter(({ opType }) => opType === 'Cast').map(each => [each.input[0]!, each.output[0]!]));
  return modelTensors(proto).reduce((sum, tensor) => {
    const cast = casts.get(tensor.name);
    const times = cast === undefined ? 0 : reads.filter(name => name === cast).length;
    const growth = times > 0 ? OPENED_CAST * times : (OPENED.get(tensor.dataType) ?? 1);
    return sum + growth * (tensorSize(tensor).byteCount ?? 0);
  }, 0);
}

/** The cache, once as it was and once as it becomes, and the logits of all tokens that are read together. */
function textBytes({ proto }: OnnxModel, { texts, tokens, promptTokens }: WritingRequest): number {
  const { input = [], output = [] } = proto.graph ?? {};
  const pasts = input.filter(({ name }) => name.startsWith('past'));
  const cached = pasts.reduce((sum, past) => sum + fixedSizes(past).reduce((product, size) => product * size, 1), 0);
  const logits = output.find(({ name }) => name === 'logits') ?? output[0];
  const vocabularySize = (logits && fixedSizes(logits).at(-1)) ?? 0;
  const keepsLast = input.some(({ name }) => name.endsWith('logits_to_keep'));
  // Without a cache the whole text is read again for each token.
  const read = keepsLast ? 1 : pasts.length > 0 ? promptTokens : tokens;
  return 4 * texts * (2 * tokens * cached + read * vocabularySize);
}

/** Sizes of a value's axes, but those that depend on the text. */
function fixedSizes({ type }: ValueInfoProto): number[] {
  const dims = type?.value.case === 'tensorType' ? (type.value.value.shape?.dim ?? []) : [];
  return dims.flatMap(({ value }) => (value.case === 'dimValue' ? [Number(value.value)] : []));
}
