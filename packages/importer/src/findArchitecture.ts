import { type Architecture, architectures } from './architectures.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/**
 * Finds the architecture that a config names, by `architectures` or, without that, by `model_type`.
 *
 * @param raw the parsed config.json
 * @param where what messages call the file
 * @throws CompressionError `UNSUPPORTED_MODEL` when it is not in the table, when the two keys disagree, or when the config
 * asks for a variant that the architecture's class does not have
 */
export function findArchitecture(
  raw: Readonly<Record<string, unknown>>,
  where: string,
): { name: string; architecture: Architecture } {
  const { architectures: names, model_type: modelType } = raw;
  const given: unknown = Array.isArray(names) ? names[0] : undefined;
  const found = [...architectures].find(([name, { modelType: type }]) =>
    given === undefined ? type === modelType : name === given,
  );
  if (!found) {
    const supported = [...architectures.keys()].join(', ');
    const subject = `architecture ${JSON.stringify(given ?? null)} of model_type ${JSON.stringify(modelType ?? null)}`;
    const context = { where, architecture: given, modelType };
    throw unsupportedModel(`${where}: ${subject} cannot be imported; supported: ${supported}`, context);
  }
  const [name, architecture] = found;
  const fixed: [key: string, wanted: unknown][] = [
    ['model_type', architecture.modelType],
    [architecture.activationKey, architecture.activation],
    ...Object.entries(architecture.fixed),
  ];
  if (architecture.attentionBias === 'none') fixed.push(['attention_bias', false]);
  if (architecture.mlpBias === 'none') fixed.push(['mlp_bias', false]);
  for (const [key, wanted] of fixed) {
    const value = raw[key] ?? wanted;
    if (value === wanted) continue;
    const text = `${key} is ${JSON.stringify(value)}; ${name} is supported with ${JSON.stringify(wanted)} only`;
    throw unsupportedModel(`${where}: ${text}`, { where, architecture: name, key, value });
  }
  return { name, architecture };
}
