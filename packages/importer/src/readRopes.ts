import type { CompressionError } from '@quern/core';
import type { Architecture } from './architectures.ts';
import { configFields } from './configFields.ts';
import type { Rope, RopeScaling } from './decoderConfig.ts';
import { invalidConfig } from './invalidConfig.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/** transformers' default of `rope_local_base_freq`. */
const DEFAULT_LOCAL_THETA = 10000;

type RopeFacts = Pick<Architecture, 'rope' | 'defaultTheta' | 'partialRotation' | 'longRope'>;
type Settings = Readonly<Record<string, unknown>>;

/**
 * Reads the rotary settings of a config: `rope_theta` and `rope_scaling`, or transformers 5's `rope_parameters`; where blocks with a
 * window have their own, `rope_local_base_freq`, or `full_attention` and `sliding_attention` within `rope_parameters`.
 *
 * @param raw the parsed config.json
 * @param options what the architecture's class fixes; features of a head; `where`: what messages call the file
 * @returns settings of blocks that see everything and of those with a window: the same object unless they differ
 * @throws CompressionError `UNSUPPORTED_MODEL` for partial rotation and scalings that the architecture does not have;
 * `INVALID_CONFIG` for values that make no sense
 */
export function readRopes(
  raw: Settings,
  options: { architecture: RopeFacts; headSize: number; where: string },
): { full: Rope; sliding: Rope } {
  const { architecture, where } = options;
  const given = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const settings = asSettings(given, where);
  const nested = Object.keys(settings).filter(key => settings[key] instanceof Object && !Array.isArray(settings[key]));
  const theta = configFields(raw, where).positive('rope_theta', architecture.defaultTheta);
  const defaults = { ...options, theta, raw };
  if (architecture.rope !== 'byKind') {
    if (nested.length > 0) throw unsupportedKind(nested[0]!, 'one setting for all blocks', where);
    const rope = readRope(settings, defaults);
    return { full: rope, sliding: rope };
  }
  const unknown = nested.find(key => key !== 'full_attention' && key !== 'sliding_attention');
  if (unknown) throw unsupportedKind(unknown, 'full_attention and sliding_attention', where);
  const localTheta = configFields(raw, where).positive('rope_local_base_freq', DEFAULT_LOCAL_THETA);
  return {
    full: readRope(nested.length > 0 ? asSettings(settings.full_attention ?? {}, where) : settings, defaults),
    sliding: readRope(asSettings(settings.sliding_attention ?? {}, where), { ...defaults, theta: localTheta }),
  };
}

function asSettings(value: unknown, where: string): Settings {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings;
  throw invalidConfig(`${where}: the rope settings are not an object`, { where, value });
}

function unsupportedKind(kind: string, supported: string, where: string): CompressionError {
  const text = `rope settings of their own for ${kind}; supported: ${supported}`;
  return unsupportedModel(`${where}: ${text}`, { where, kind });
}

/** What settings that a rope does not have are taken from. */
interface RopeDefaults {
  readonly architecture: RopeFacts;
  readonly headSize: number;
  readonly theta: number;
  readonly raw: Settings;
  readonly where: string;
}

function readRope(settings: Settings, defaults: RopeDefaults): Rope {
  const size = readRotatedSize(settings, defaults);
  const theta = configFields(settings, `${defaults.where}: rope settings`).positive('rope_theta', defaults.theta);
  return { size, theta, scaling: readScaling(settings, size, defaults) };
}

/** How many features of a head turn. */
function readRotatedSize(settings: Settings, { architecture, headSize, raw, where }: RopeDefaults): number {
  const fraction = settings.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (fraction === 1) return headSize;
  if (!architecture.partialRotation) {
    const text = `partial_rotary_factor is ${JSON.stringify(fraction)}; supported: 1`;
    throw unsupportedModel(`${where}: ${text}`, { where, fraction });
  }
  const size = typeof fraction === 'number' ? Math.trunc(headSize * fraction) : 0;
  if (size > 0 && size < headSize && size % 2 === 0) return size;
  const text = `partial_rotary_factor is ${JSON.stringify(fraction)}, wanted a fraction that turns an even number of the ${headSize} features of a head`;
  throw invalidConfig(`${where}: ${text}`, { where, fraction, headSize });
}

function readScaling(settings: Settings, size: number, defaults: RopeDefaults): RopeScaling {
  const { architecture, where } = defaults;
  const type = settings.rope_type ?? settings.type ?? 'default';
  if (architecture.longRope && (type === 'longrope' || type === 'su')) return readLongRope(settings, size, defaults);
  switch (type) {
    case 'default':
      return { type: 'default' };
    case 'linear':
      return { type: 'linear', factor: configFields(settings, `${where}: rope settings`).positive('factor') };
    case 'llama3':
      return readLlama3(settings, where);
    default: {
      const supported = ['default', 'linear', 'llama3', ...(architecture.longRope ? ['longrope'] : [])].join(', ');
      const text = `rope scaling is ${JSON.stringify(type)}; supported: ${supported}`;
      throw unsupportedModel(`${where}: ${text}`, { where, type });
    }
  }
}

/**
 * LongRoPE within the context of pre-training, where the short factors hold.
 *
 * Source: `_compute_longrope_parameters` of transformers. The long factors take over for a sequence that grows beyond it, and then for all
 * of its positions: keys that are cached would have to be computed again, which a graph cannot.
 */
function readLongRope(settings: Settings, size: number, { raw, where }: RopeDefaults): RopeScaling {
  const fields = configFields(settings, `${where}: rope settings`);
  const factors = settings.short_factor;
  const isFactor = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < Infinity;
  if (!Array.isArray(factors) || factors.length !== size / 2 || !factors.every(isFactor)) {
    const given = Array.isArray(factors) ? `a list of ${factors.length}` : JSON.stringify(factors ?? null);
    const text = `short_factor is ${given}, wanted ${size / 2} numbers above 0, one for each pair of features that turns`;
    throw invalidConfig(`${where}: ${text}`, { where, size });
  }
  const top = configFields(raw, where);
  const originalContextLength =
    (settings.original_max_position_embeddings ?? null) === null
      ? top.count('original_max_position_embeddings')
      : fields.count('original_max_position_embeddings');
  const growth = top.count('max_position_embeddings') / originalContextLength;
  const computed = growth <= 1 ? 1 : Math.sqrt(1 + Math.log(growth) / Math.log(originalContextLength));
  const magnitude = fields.positive('attention_factor', computed);
  return { type: 'longrope', factors, magnitude, originalContextLength };
}

function readLlama3(settings: Settings, where: string): RopeScaling {
  const fields = configFields(settings, `${where}: rope settings`);
  const lowFrequencyFactor = fields.positive('low_freq_factor');
  const highFrequencyFactor = fields.positive('high_freq_factor');
  if (highFrequencyFactor <= lowFrequencyFactor) {
    const text = `high_freq_factor ${highFrequencyFactor} must be above low_freq_factor ${lowFrequencyFactor}`;
    throw invalidConfig(`${where}: ${text}`, { where, lowFrequencyFactor, highFrequencyFactor });
  }
  return {
    type: 'llama3',
    factor: fields.positive('factor'),
    lowFrequencyFactor,
    highFrequencyFactor,
    originalContextLength: fields.count('original_max_position_embeddings'),
  };
}
