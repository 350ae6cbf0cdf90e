import { type OnnxModel, serializeModel } from '@quern/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ImportedModel } from '../importCheckpoint.ts';

/** What one run leaves for the next. */
export interface DecoderState {
  /** float32 `[batch, sequence, vocabulary]`. */
  readonly logits: Tensor;
  /** Attention mask so far, one list a row. */
  readonly masks: readonly number[][];
  readonly cache: Readonly<Record<string, Tensor>>;
}

/** One run over `[batch, sequence]` new tokens; without masks they are all tokens. */
export type DecoderRun = (
  ids: readonly (readonly number[])[],
  options?: { masks?: readonly (readonly number[])[]; after?: DecoderState },
) => Promise<DecoderState>;

/** Opens a model from memory over the weight files of its folder. */
export function openModel(model: OnnxModel): Promise<InferenceSession> {
  return InferenceSession.create(serializeModel(model), {
    logSeverityLevel: 4, // tests provoke failures; the thrown error is enough
    extra: { session: { model_external_initializers_file_folder_path: model.folder } },
  });
}

/** Opens an imported decoder and gives a function that runs it with its cache. */
export async function openDecoder({ model, config }: ImportedModel): Promise<DecoderRun> {
  const session = await openModel(model);
  const cacheType = session.inputMetadata.find(input => input.name === 'past_key_values.0.key');
  const type = cacheType?.isTensor ? cacheType.type : 'string';
  return async (ids, { masks: newMasks = ids.map(row => row.map(() => 1)), after } = {}) => {
    const masks = newMasks.map((row, index) => [...(after?.masks[index] ?? []), ...row]);
    const feeds: Record<string, Tensor> = { input_ids: integers(ids), attention_mask: integers(masks) };
    for (let block = 0; block < config.blockCount; block++) {
      for (const half of ['key', 'value']) {
        const dims = [ids.length, config.keyValueHeadCount, 0, config.headSize];
        const empty = type === 'float16' ? new Tensor('float16', [], dims) : new Tensor('float32', [], dims);
        feeds[`past_key_values.${block}.${half}`] = asFeed(after?.cache[`present.${block}.${half}`] ?? empty);
      }
    }
    const { logits, ...cache } = await session.run(feeds);
    return { logits: logits!, masks, cache };
  };
}

/** The logits `[vocabulary]` of one token, by its row and column in the last run. */
export function logitsAt({ logits }: DecoderState, row: number, column: number): Float32Array {
  const [, sequence, vocabulary] = logits.dims as [number, number, number];
  const start = (row * sequence + column) * vocabulary;
  return (logits.data as Float32Array).slice(start, start + vocabulary);
}

/**
 * onnxruntime-node 1.30 takes the bytes of a Float16Array for none ("not enough space: expected n, got 0") and wraps every
 * float16 tensor's data in one where the engine has the type; the same bytes as Uint16Array get through.
 */
function asFeed(tensor: Tensor): Tensor {
  if (tensor.type !== 'float16') return tensor;
  const { buffer, byteOffset, length } = tensor.data as Uint16Array<ArrayBuffer>;
  return Object.assign(tensor, { cpuData: new Uint16Array(buffer, byteOffset, length) });
}

function integers(rows: readonly (readonly number[])[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);
}
