import type { Architecture } from './architectures.ts';
import { configFields } from './configFields.ts';
import { invalidConfig } from './invalidConfig.ts';

/** transformers' default of `no_rope_layer_interval`: of this many blocks the last does without. */
const DEFAULT_INTERVAL = 4;

/**
 * Tells for each block whether its queries and keys turn with their position.
 *
 * @param raw the parsed config.json
 * @param options the block count, how the architecture reads the settings, what messages call the file
 * @throws CompressionError `INVALID_CONFIG` for a list that is none of a 0 or 1 for each block
 */
export function readTurnedBlocks(
  raw: Readonly<Record<string, unknown>>,
  options: { blockCount: number; architecture: Pick<Architecture, 'rope'>; where: string },
): boolean[] {
  const { blockCount, architecture, where } = options;
  if (architecture.rope !== 'someBlocks') return new Array(blockCount).fill(true);
  const given: unknown = raw.no_rope_layers ?? null;
  if (given === null) {
    const interval = configFields(raw, where).count('no_rope_layer_interval', DEFAULT_INTERVAL);
    return Array.from({ length: blockCount }, (_, block) => (block + 1) % interval !== 0);
  }
  // The key says the opposite of what it lists: 1 turns.
  if (Array.isArray(given) && given.length >= blockCount && given.every(entry => entry === 0 || entry === 1)) {
    return given.slice(0, blockCount).map(entry => entry === 1);
  }
  const text = `no_rope_layers is ${JSON.stringify(given)}, wanted a list of 0 and 1, one for each of ${blockCount} blocks`;
  throw invalidConfig(`${where}: ${text}`, { where, given, blockCount });
}
