import { configFields } from './configFields.ts';
import type { RopeScaling } from './decoderConfig.ts';
import { invalidConfig } from './invalidConfig.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/**
 * Reads the rotary settings of a config: `rope_theta` and `rope_scaling`, or transformers 5's `rope_parameters`.
 *
 * @param raw the parsed config.json
 * @param where what messages call the file
 * @throws CompressionError `UNSUPPORTED_MODEL` for partial rotation and scalings other than default, linear and llama3;
 * `INVALID_CONFIG` for values that make no sense
 */
export function readRopeScaling(
  raw: Readonly<Record<string, unknown>>,
  where: string,
): { theta: number; scaling: RopeScaling } {
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  if (typeof rope !== 'object' || Array.isArray(rope)) {
    throw invalidConfig(`${where}: the rope settings are not an object`, { where, value: rope });
  }
  const settings = rope as Readonly<Record<string, unknown>>;
  const nested = Object.keys(settings).find(key => settings[key] instanceof Object && !Array.isArray(settings[key]));
  if (nested) {
    const text = `rope settings of their own for ${nested}; supported: one setting for all blocks`;
    throw unsupportedModel(`${where}: ${text}`, { where, nested });
  }
  const fraction = settings.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (fraction !== 1) {
    const text = `partial_rotary_factor is ${JSON.stringify(fraction)}; supported: 1`;
    throw unsupportedModel(`${where}: ${text}`, { where, fraction });
  }

  const fields = configFields(settings, `${where}: rope settings`);
  const theta = fields.positive('rope_theta', configFields(raw, where).positive('rope_theta', 10000));
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

function readLlama3(settings: Readonly<Record<string, unknown>>, where: string): RopeScaling {
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
