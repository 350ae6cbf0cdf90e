import type { CompressionError } from '@quern/core';
import type { Architecture } from './architectures.ts';
import { configFields } from './configFields.ts';
import type { Rope, RopeScaling } from './decoderConfig.ts';
import { invalidConfig } from './invalidConfig.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/** transformers' default of `rope_local_base_freq`. */
const DEFAULT_LOCAL_THETA = 10000;

type Settings = Readonly<Record<string, unknown>>;

/**
 * Reads the rotary settings of a config: `rope_theta` and `rope_scaling`, or transformers 5's `rope_parameters`; where blocks with a
 * window have their own, `rope_local_base_freq`, or `full_attention` and `sliding_attention` within `rope_parameters`.
 *
 * @param raw the parsed config.json
 * @param options what the architecture's class fixes; `where`: what messages call the file
 * @returns settings of blocks that see everything and of those with a window: the same object unless they differ
 * @throws CompressionError `UNSUPPORTED_MODEL` for partial rotation and scalings other than default, linear and llama3;
 * `INVALID_CONFIG` for values that make no sense
 */
export function readRopes(
  raw: Settings,
  { architecture, where }: { architecture: Pick<Architecture, 'rope' | 'defaultTheta'>; where: string },
): { full: Rope; sliding: Rope } {
  const given = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const settings = asSettings(given, where);
  const nested = Object.keys(settings).filter(key => settings[key] instanceof Object && !Array.isArray(settings[key]));
  const defaults = { theta: configFields(raw, where).positive('rope_theta', architecture.defaultTheta), raw, where };
  if (architecture.rope === 'allBlocks') {
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

function readRope(settings: Settings, defaults: { theta: number; raw: Settings; where: string }): Rope {
  const { raw, where } = defaults;
  const fraction = settings.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (fraction !== 1) {
    const text = `partial_rotary_factor is ${JSON.stringify(fraction)}; supported: 1`;
    throw unsupportedModel(`${where}: ${text}`, { where, fraction });
  }
  const fields = configFields(settings, `${where}: rope settings`);
  const theta = fields.positive('rope_theta', defaults.theta);
  const type = settings.rope_type ?? settings.type ?? 'default';
  switch (type) {
    case 'default':
      return { theta, scaling: { type: 'default' } };
    case 'linear':
      return { theta, scaling: { type: 'linear', factor: fields.positive('factor') } };
    case 'llama3':
      return { theta, scaling: readLlama3(settings, where) };
    default: {
      const text = `rope scaling is ${JSON.stringify(type)}; supported: default, linear, llama3`;
      throw unsupportedModel(`${where}: ${text}`, { where, type });
    }
  }
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
