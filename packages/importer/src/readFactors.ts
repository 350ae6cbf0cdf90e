import type { Architecture } from './architectures.ts';
import { configFields } from './configFields.ts';
import type { DecoderConfig } from './decoderConfig.ts';

/** The numbers by which a decoder scales and bounds what its modules give. */
export type Factors = Pick<
  DecoderConfig,
  'attentionScale' | 'softcaps' | 'embeddingFactor' | 'residualFactor' | 'logitDivisor'
>;

type FactorFacts = Pick<Architecture, 'attentionScale' | 'defaultSoftcaps' | 'factors'>;

/** transformers' default of `query_pre_attn_scalar`. */
const DEFAULT_QUERY_SCALAR = 256;

/**
 * Reads the factors of a config. Multipliers that are absent are 1.
 *
 * @param raw the parsed config.json
 * @param options what the architecture's class fixes; features of a head; `where`: what messages call the file
 * @throws CompressionError `INVALID_CONFIG` for a factor that is no number above 0
 */
export function readFactors(
  raw: Readonly<Record<string, unknown>>,
  { architecture, headSize, where }: { architecture: FactorFacts; headSize: number; where: string },
): Factors {
  const fields = configFields(raw, where);
  const { defaultSoftcaps, factors, attentionScale } = architecture;
  const softcap = (key: string, fallback: number | undefined): number | null =>
    fallback === undefined || raw[key] === null ? null : fields.positive(key, fallback);
  const multiplier = (key: string): number => (factors === 'config' ? fields.positive(key, 1) : 1);
  const scales: Readonly<Record<FactorFacts['attentionScale'], () => number>> = {
    headSize: () => 1 / Math.sqrt(headSize),
    queryPreAttnScalar: () => 1 / Math.sqrt(fields.positive('query_pre_attn_scalar', DEFAULT_QUERY_SCALAR)),
    multiplier: () => fields.positive('attention_multiplier', 1),
  };
  return {
    attentionScale: scales[attentionScale](),
    softcaps: {
      attention: softcap('attn_logit_softcapping', defaultSoftcaps?.attention),
      logits: softcap('final_logit_softcapping', defaultSoftcaps?.logits),
    },
    embeddingFactor: factors === 'rootOfHiddenSize' ? factors : multiplier('embedding_multiplier'),
    residualFactor: multiplier('residual_multiplier'),
    logitDivisor: multiplier('logits_scaling'),
  };
}
