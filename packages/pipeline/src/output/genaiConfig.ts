import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { genaiNames, readGenaiCache, TEXT_INPUTS } from './readGenaiCache.ts';

/** What onnxruntime-genai reads of a decoder; it refuses keys that it does not know. */
export interface GenaiConfig {
  readonly model: {
    readonly type: string;
    readonly bos_token_id?: number;
    readonly eos_token_id?: number | readonly number[];
    readonly pad_token_id?: number;
    readonly context_length: number;
    readonly vocab_size: number;
    readonly decoder: {
      readonly session_options: { readonly log_id: string; readonly provider_options: readonly object[] };
      readonly filename: string;
      readonly head_size: number;
      readonly hidden_size: number;
      readonly num_attention_heads: number;
      readonly num_key_value_heads: number;
      readonly num_hidden_layers: number;
      readonly inputs: Readonly<Record<string, string>>;
      readonly outputs: Readonly<Record<string, string>>;
    };
  };
  readonly search: Readonly<Record<string, number | boolean>>;
}

export interface GenaiSource {
  readonly model: OnnxModel;
  /** How messages name the model. */
  readonly path: string;
  readonly filename: string;
  /** config.json of the checkpoint. */
  readonly config: Readonly<Record<string, unknown>>;
  /** generation_config.json, empty without one. */
  readonly generation: Readonly<Record<string, unknown>>;
  readonly target: 'cpu' | 'cuda' | 'webgpu' | 'wasm';
}

/** Decoders that onnxruntime-genai knows by name (`model_type.h` there); it refuses other names, but runs any decoder as `decoder`. */
const TYPES: ReadonlySet<string> = new Set(
  (
    'chatglm ernie4_5 gemma gemma2 gemma3_text gpt2 gptoss granite llama mistral nemotron olmo phi phimoe phi3 phi3small ' +
    'qwen2 qwen3 smollm3'
  ).split(' '),
);

/**
 * Describes a decoder with key-value cache for onnxruntime-genai. Sizes of the cache are read from the graph, the rest from
 * config.json; generation_config.json wins for tokens and sampling.
 *
 * Errors: INVALID_OPTION for a graph without such a cache or with inputs that genai does not fill; INVALID_CONFIG for a
 * size that config.json does not tell.
 */
export function genaiConfig(source: GenaiSource): GenaiConfig {
  const { model, path, filename, config, generation, target } = source;
  const { blockCount, keyValueHeadCount, headSize } = readGenaiCache(model, path);
  const size = (key: string, fallback: unknown = undefined) => readSize(config[key] ?? fallback, key, path);
  const headCount = size('num_attention_heads');
  const contextLength = size('max_position_embeddings');
  const inputNames = new Set((model.proto.graph?.input ?? []).map(({ name }) => name));
  const inputs = TEXT_INPUTS.filter(name => inputNames.has(name)).map(name => [name, name] as const);
  return {
    model: {
      type: TYPES.has(String(config.model_type)) ? String(config.model_type) : 'decoder',
      ...tokens(config, generation),
      context_length: contextLength,
      vocab_size: logitsSize(model) ?? size('vocab_size'),
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: providers(target) },
        filename,
        head_size: headSize ?? size('head_dim', size('hidden_size') / headCount),
        hidden_size: size('hidden_size'),
        num_attention_heads: headCount,
        num_key_value_heads: keyValueHeadCount ?? size('num_key_value_heads', headCount),
        num_hidden_layers: blockCount,
        inputs: {
          ...Object.fromEntries(inputs),
          past_key_names: genaiNames.pastKey,
          past_value_names: genaiNames.pastValue,
        },
        outputs: {
          logits: 'logits',
          present_key_names: genaiNames.presentKey,
          present_value_names: genaiNames.presentValue,
        },
      },
    },
    search: search(source, contextLength),
  };
}

function readSize(value: unknown, key: string, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  const problem = value === undefined ? 'does not give' : `gives ${JSON.stringify(value)} for`;
  throw new CompressionError(
    'INVALID_CONFIG',
    `config.json of ${path} ${problem} ${key}, a whole number that --layout genai needs. Add it, or use --layout transformersjs.`,
    { path, key },
  );
}

function logitsSize(model: OnnxModel): number | null {
  const type = model.proto.graph?.output.find(({ name }) => name === 'logits')?.type?.value;
  const last = type?.case === 'tensorType' ? type.value.shape?.dim.at(-1)?.value : undefined;
  return last?.case === 'dimValue' && last.value > 0n ? Number(last.value) : null;
}

function tokens(config: GenaiSource['config'], generation: GenaiSource['generation']) {
  const ids = (key: string): number[] => {
    const value = generation[key] ?? config[key];
    return (Array.isArray(value) ? value : [value]).filter(id => Number.isInteger(id)) as number[];
  };
  const [bos] = ids('bos_token_id');
  const eos = ids('eos_token_id');
  const pad = ids('pad_token_id')[0] ?? eos[0];
  return {
    ...(bos === undefined ? {} : { bos_token_id: bos }),
    ...(eos.length === 0 ? {} : { eos_token_id: eos.length === 1 ? eos[0]! : eos }),
    ...(pad === undefined ? {} : { pad_token_id: pad }),
  };
}

function providers(target: GenaiSource['target']): object[] {
  return target === 'cuda' || target === 'webgpu' ? [{ [target]: {} }] : [];
}

function search({ model, generation }: GenaiSource, contextLength: number): Readonly<Record<string, number | boolean>> {
  const numberOf = (key: string, fallback: number): number => {
    const value = generation[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
  };
  return {
    diversity_penalty: 0,
    do_sample: generation.do_sample === true,
    early_stopping: true,
    length_penalty: numberOf('length_penalty', 1),
    max_length: contextLength,
    min_length: 0,
    no_repeat_ngram_size: numberOf('no_repeat_ngram_size', 0),
    num_beams: 1,
    num_return_sequences: 1,
    past_present_share_buffer: sharesCache(model),
    repetition_penalty: numberOf('repetition_penalty', 1),
    temperature: numberOf('temperature', 1),
    top_k: numberOf('top_k', 50),
    top_p: numberOf('top_p', 1),
  };
}

/** Whether past and present can be one buffer: where GroupQueryAttention alone reads the cache, which knows its length by itself. */
function sharesCache(model: OnnxModel): boolean {
  const nodes = model.proto.graph?.node ?? [];
  const readers = nodes.filter(node => node.input.some(name => name.startsWith('past_key_values.')));
  return readers.every(node => node.opType === 'GroupQueryAttention');
}
