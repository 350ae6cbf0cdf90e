import type { WeightDtype } from './encodeFloats.ts';
import type { RawConfig, RawRopeScaling } from './rawConfig.ts';

/**
 * Logits `[tokens, vocabulary]` of one sequence, in float64 and plain loops, straight from config.json and the tensors by
 * their names: the twin that the graph is compared with. Written from the modeling files of transformers. `dtype` is the type that the
 * weights are stored in, to which Gemma rounds a factor.
 */
export function naiveDecoder(
  config: RawConfig,
  weights: ReadonlyMap<string, Float64Array>,
  ids: readonly number[],
  dtype: WeightDtype = 'F32',
): Float64Array[] {
  if (config.model_type.startsWith('gemma')) return naiveGemma(config, weights, ids, dtype);
  if (config.model_type === 'olmo2') return naiveOlmo(config, weights, ids);
  if (config.model_type === 'phi3')
    return naiveDecoder({ ...config, model_type: 'mistral' }, unfused(config, weights), ids);
  const get = (name: string): Float64Array => weights.get(name)!;
  const embedding = get('model.embed_tokens.weight');
  const hidden = config.hidden_size;
  const { embedding_multiplier: embeds = 1, residual_multiplier: adds = 1, logits_scaling: divides = 1 } = config;
  const times = (x: Float64Array, factor: number): Float64Array => x.map(value => value * factor);
  let states = ids.map(id => times(embedding.slice(id * hidden, (id + 1) * hidden), embeds));
  for (let block = 0; block < config.num_hidden_layers; block++) {
    const prefix = `model.layers.${block}`;
    const normed = states.map(x => norm(x, get(`${prefix}.input_layernorm.weight`), config.rms_norm_eps));
    const attended = attention(config, weights, normed, block);
    states = states.map((x, token) => add(x, times(attended[token]!, adds)));
    states = states.map(x => {
      const y = norm(x, get(`${prefix}.post_attention_layernorm.weight`), config.rms_norm_eps);
      const gate = linear(weights, `${prefix}.mlp.gate_proj`, y);
      const up = linear(weights, `${prefix}.mlp.up_proj`, y);
      const gated = gate.map((value, feature) => (value / (1 + Math.exp(-value))) * up[feature]!);
      return add(x, times(linear(weights, `${prefix}.mlp.down_proj`, gated), adds));
    });
  }
  const head = weights.get('lm_head.weight') ?? embedding;
  return states.map(x => times(multiply(head, norm(x, get('model.norm.weight'), config.rms_norm_eps)), 1 / divides));
}

/** The rows of Phi-3's two fused weights under the names of Llama: queries, keys, values; gate, up. */
function unfused(config: RawConfig, weights: ReadonlyMap<string, Float64Array>): Map<string, Float64Array> {
  const [queries, keys] = [config.num_attention_heads, config.num_key_value_heads].map(
    count => count * config.head_dim,
  );
  const parts: [string, string, number, number][] = [
    ['qkv_proj', 'q_proj', 0, queries!],
    ['qkv_proj', 'k_proj', queries!, keys!],
    ['qkv_proj', 'v_proj', queries! + keys!, keys!],
    ['gate_up_proj', 'gate_proj', 0, config.intermediate_size],
    ['gate_up_proj', 'up_proj', config.intermediate_size, config.intermediate_size],
  ];
  const result = new Map(weights);
  for (const [name, values] of weights) {
    for (const [fused, own, start, count] of parts) {
      const rows = values.slice(start * config.hidden_size, (start + count) * config.hidden_size);
      if (name.includes(fused)) result.set(name.replace(fused, own), rows);
    }
  }
  return result;
}

/** OLMo 2: norms over what attention and feed-forward give, none before them. */
function naiveOlmo(
  config: RawConfig,
  weights: ReadonlyMap<string, Float64Array>,
  ids: readonly number[],
): Float64Array[] {
  const hidden = config.hidden_size;
  const embedding = weights.get('model.embed_tokens.weight')!;
  const normOf = (x: Float64Array, name: string) => norm(x, weights.get(`${name}.weight`)!, config.rms_norm_eps);
  let states: Float64Array[] = ids.map(id => embedding.slice(id * hidden, (id + 1) * hidden));
  for (let block = 0; block < config.num_hidden_layers; block++) {
    const prefix = `model.layers.${block}`;
    const attended = attention(config, weights, states, block);
    states = states.map((x, token) => add(x, normOf(attended[token]!, `${prefix}.post_attention_layernorm`)));
    states = states.map(x => {
      const up = linear(weights, `${prefix}.mlp.up_proj`, x);
      const gate = linear(weights, `${prefix}.mlp.gate_proj`, x);
      const gated = gate.map((value, feature) => (value / (1 + Math.exp(-value))) * up[feature]!);
      return add(x, normOf(linear(weights, `${prefix}.mlp.down_proj`, gated), `${prefix}.post_feedforward_layernorm`));
    });
  }
  const head = weights.get('lm_head.weight') ?? embedding;
  return states.map(x => multiply(head, normOf(x, 'model.norm')));
}

/** Gemma 2 and 3: scaled embeddings, norms that multiply by 1 + weight, before and after both parts of a block, GELU; soft caps. */
function naiveGemma(
  config: RawConfig,
  stored: ReadonlyMap<string, Float64Array>,
  ids: readonly number[],
  dtype: WeightDtype,
): Float64Array[] {
  const weights = new Map(
    [...stored].map(([name, values]) => [name, name.endsWith('norm.weight') ? values.map(value => 1 + value) : values]),
  );
  const hidden = config.hidden_size;
  const embedding = weights.get('model.embed_tokens.weight')!;
  const factor = roundNearest(Math.sqrt(hidden), dtype);
  const normOf = (x: Float64Array, name: string) => norm(x, weights.get(`${name}.weight`)!, config.rms_norm_eps);
  let states: Float64Array[] = ids.map(id => embedding.slice(id * hidden, (id + 1) * hidden).map(x => x * factor));
  for (let block = 0; block < config.num_hidden_layers; block++) {
    const prefix = `model.layers.${block}`;
    const normed = states.map(x => normOf(x, `${prefix}.input_layernorm`));
    const attended = attention(config, weights, normed, block);
    states = states.map((x, token) => add(x, normOf(attended[token]!, `${prefix}.post_attention_layernorm`)));
    states = states.map(x => {
      const y = normOf(x, `${prefix}.pre_feedforward_layernorm`);
      const gate = linear(weights, `${prefix}.mlp.gate_proj`, y).map(geluTanh);
      const up = linear(weights, `${prefix}.mlp.up_proj`, y);
      const given = linear(
        weights,
        `${prefix}.mlp.down_proj`,
        gate.map((value, feature) => value * up[feature]!),
      );
      return add(x, normOf(given, `${prefix}.post_feedforward_layernorm`));
    });
  }
  const head = weights.get('lm_head.weight') ?? embedding;
  const cap = config.final_logit_softcapping ?? null;
  return states.map(x => multiply(head, normOf(x, 'model.norm')).map(logit => softcap(logit, cap)));
}

function softcap(x: number, cap: number | null): number {
  return cap === null ? x : cap * Math.tanh(x / cap);
}

function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** To the nearest number with so many significant bits: 24, 11 or 8, the first included. */
function roundNearest(value: number, dtype: WeightDtype): number {
  const bits = { F32: 24, F16: 11, BF16: 8 }[dtype];
  const unit = 2 ** (Math.floor(Math.log2(value)) + 1 - bits);
  return Math.round(value / unit) * unit;
}

function attention(
  config: RawConfig,
  weights: ReadonlyMap<string, Float64Array>,
  inputs: readonly Float64Array[],
  block: number,
): Float64Array[] {
  const prefix = `model.layers.${block}.self_attn`;
  const size = config.head_dim;
  const shared = config.num_attention_heads / config.num_key_value_heads;
  const window = windowOf(config, block);
  const turns = turnsOf(config, Number.isFinite(window));
  const scale = config.attention_multiplier ?? 1 / Math.sqrt(config.query_pre_attn_scalar ?? size);
  const project = (module: string, normName: string | null): Float64Array[][] =>
    inputs.map((x, position) => {
      let y = linear(weights, `${prefix}.${module}`, x);
      const whole = config.model_type === 'olmo2' && normName !== null;
      if (whole) y = norm(y, weights.get(`${prefix}.${normName}.weight`)!, config.rms_norm_eps);
      const heads = Array.from({ length: y.length / size }, (_, head) => y.slice(head * size, (head + 1) * size));
      if (normName === null) return heads;
      const weight = whole ? undefined : weights.get(`${prefix}.${normName}.weight`);
      return heads.map(head => {
        const normed = weight ? norm(head, weight, config.rms_norm_eps) : head;
        return config.no_rope_layers?.[block] === 0 ? normed : rotate(turns, normed, position);
      });
    });
  const queries = project('q_proj', 'q_norm');
  const keys = project('k_proj', 'k_norm');
  const values = project('v_proj', null);
  return queries.map((heads, position) => {
    const mixed = new Float64Array(heads.length * size);
    for (const [head, query] of heads.entries()) {
      const source = Math.floor(head / shared);
      const scores: number[] = [];
      for (let other = 0; other <= position; other++) {
        const visible = position - other < window;
        const dot = query.reduce((sum, value, feature) => sum + value * keys[other]![source]![feature]!, 0);
        scores.push(visible ? softcap(dot * scale, config.attn_logit_softcapping ?? null) : Number.NEGATIVE_INFINITY);
      }
      const top = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
      for (const [other, score] of scores.entries()) {
        const share = Math.exp(score - top) / total;
        for (let feature = 0; feature < size; feature++) {
          mixed[head * size + feature]! += share * values[other]![source]![feature]!;
        }
      }
    }
    return linear(weights, `${prefix}.o_proj`, mixed);
  });
}

function windowOf(config: RawConfig, block: number): number {
  const window = config.sliding_window ?? Number.POSITIVE_INFINITY;
  if (config.model_type === 'mistral') return window;
  if (!config.model_type.startsWith('gemma') && !config.use_sliding_window) return Number.POSITIVE_INFINITY;
  const sliding = config.layer_types
    ? config.layer_types[block] === 'sliding_attention'
    : block >= config.max_window_layers!;
  return sliding ? window : Number.POSITIVE_INFINITY;
}

/** How the pairs of a head's features turn. */
interface Turns {
  readonly theta: number;
  readonly scaling: RawRopeScaling;
  /** Of a head's features. */
  readonly share: number;
  /** Cosines and sines are multiplied by it. */
  readonly magnitude: number;
}

function turnsOf(config: RawConfig, isWindowed: boolean): Turns {
  if (isWindowed && config.rope_local_base_freq)
    return { theta: config.rope_local_base_freq, scaling: {}, share: 1, magnitude: 1 };
  const theta = config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10000;
  const scaling = config.rope_parameters ?? config.rope_scaling ?? {};
  const original = config.original_max_position_embeddings ?? config.max_position_embeddings;
  const growth = config.max_position_embeddings / original;
  const magnitude = scaling.type === 'longrope' ? Math.sqrt(1 + Math.log(growth) / Math.log(original)) : 1;
  return { theta, scaling, share: config.partial_rotary_factor ?? 1, magnitude };
}

/** Half-split rotation: of the first features, i turns with i + size/2. */
function rotate({ theta, scaling, share, magnitude }: Turns, head: Float64Array, position: number): Float64Array {
  const size = head.length * share;
  const half = size / 2;
  const rotated = head.slice();
  for (let pair = 0; pair < half; pair++) {
    const inverse = 1 / theta ** ((2 * pair) / size);
    const angle = position * scaled(inverse, scaling, pair);
    const [cosine, sine] = [magnitude * Math.cos(angle), magnitude * Math.sin(angle)];
    rotated[pair] = head[pair]! * cosine - head[pair + half]! * sine;
    rotated[pair + half] = head[pair + half]! * cosine + head[pair]! * sine;
  }
  return rotated;
}

function scaled(inverse: number, scaling: RawRopeScaling, pair: number): number {
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  if (type === 'default') return inverse;
  if (type === 'longrope') return inverse / scaling.short_factor![pair]!;
  if (type === 'linear') return inverse / scaling.factor!;
  const context = scaling.original_max_position_embeddings!;
  const wavelength = (2 * Math.PI) / inverse;
  if (wavelength > context / scaling.low_freq_factor!) return inverse / scaling.factor!;
  if (wavelength < context / scaling.high_freq_factor!) return inverse;
  const low = scaling.low_freq_factor!;
  const smooth = (context / wavelength - low) / (scaling.high_freq_factor! - low);
  return ((1 - smooth) * inverse) / scaling.factor! + smooth * inverse;
}

function norm(x: Float64Array, weight: Float64Array, epsilon: number): Float64Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, feature) => (value / Math.sqrt(meanSquare + epsilon)) * weight[feature]!);
}

function linear(weights: ReadonlyMap<string, Float64Array>, module: string, x: Float64Array): Float64Array {
  const y = multiply(weights.get(`${module}.weight`)!, x);
  const bias = weights.get(`${module}.bias`);
  return bias ? add(y, bias) : y;
}

function multiply(weight: Float64Array, x: Float64Array): Float64Array {
  const y = new Float64Array(weight.length / x.length);
  for (let row = 0; row < y.length; row++) {
    for (let column = 0; column < x.length; column++) y[row]! += weight[row * x.length + column]! * x[column]!;
  }
  return y;
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + b[index]!);
}
