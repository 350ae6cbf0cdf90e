/**
 * config.json for a graph whose positions end before those that it names: with `max_position_embeddings` as the graph has it. The same object
 * where nothing ends before, or the graph's own is not known.
 */
export function limitContext(
  config: Readonly<Record<string, unknown>>,
  contextLength: number | null,
): Readonly<Record<string, unknown>> {
  const named = config.max_position_embeddings;
  if (contextLength === null || typeof named !== 'number' || named <= contextLength) return config;
  return { ...config, max_position_embeddings: contextLength };
}
