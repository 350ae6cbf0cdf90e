import type { Architecture } from './architectures.ts';
import { configFields } from './configFields.ts';
import { invalidConfig } from './invalidConfig.ts';
import { unsupportedModel } from './unsupportedModel.ts';

/** transformers' default of `max_window_layers`. */
const DEFAULT_FIRST_WINDOWED_BLOCK = 28;

type WindowFacts = Pick<Architecture, 'slidingWindow' | 'defaultWindow' | 'defaultPattern'>;

/**
 * Tells for each block how many keys a query sees.
 *
 * @param raw the parsed config.json
 * @param options for each block whether it turns, how the architecture reads the settings, what messages call the file
 * @returns one entry a block; null sees everything before it
 * @throws CompressionError `UNSUPPORTED_MODEL` for attention of another kind, `INVALID_CONFIG` for settings that contradict
 */
export function readSlidingWindows(
  raw: Readonly<Record<string, unknown>>,
  options: { turned: readonly boolean[]; architecture: WindowFacts; where: string },
): (number | null)[] {
  const { turned, architecture, where } = options;
  const blockCount = turned.length;
  const { slidingWindow: kind, defaultWindow, defaultPattern } = architecture;
  if (kind === 'none') return new Array(blockCount).fill(null);
  const fields = configFields(raw, where);
  const isAbsent = raw.sliding_window === undefined;
  const hasNone = isAbsent ? defaultWindow === null : raw.sliding_window === null;
  const window = hasNone ? null : isAbsent ? defaultWindow : fields.count('sliding_window');
  if (kind === 'everyBlock') return new Array(blockCount).fill(window);
  const active = kind === 'byPattern' || fields.flag('use_sliding_window', false) ? window : null;
  const types = raw.layer_types ?? null;
  if (types !== null) return fromLayerTypes(types, { blockCount, active, where });
  if (kind === 'byPattern') {
    const pattern = fields.count('sliding_window_pattern', fields.count('_sliding_window_pattern', defaultPattern));
    const byPattern = turned.map((_, block) => ((block + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention'));
    return fromLayerTypes(byPattern, { blockCount, active, where });
  }
  if (kind === 'unturnedBlocks') return turned.map(turns => (turns ? null : active));
  const first = raw.max_window_layers === 0 ? 0 : fields.count('max_window_layers', DEFAULT_FIRST_WINDOWED_BLOCK);
  return Array.from({ length: blockCount }, (_, block) => (block >= first ? active : null));
}

function fromLayerTypes(
  types: unknown,
  options: { blockCount: number; active: number | null; where: string },
): (number | null)[] {
  const { blockCount, active, where } = options;
  if (!Array.isArray(types) || types.length !== blockCount) {
    const given = Array.isArray(types) ? `${types.length} entries` : JSON.stringify(types);
    const text = `layer_types is ${given}, wanted a list of ${blockCount}, one a block`;
    throw invalidConfig(`${where}: ${text}`, { where, given, blockCount });
  }
  return types.map((type: unknown) => {
    if (type === 'full_attention') return null;
    if (type !== 'sliding_attention') {
      const text = `layer_types holds ${JSON.stringify(type)}; supported: full_attention, sliding_attention`;
      throw unsupportedModel(`${where}: ${text}`, { where, type });
    }
    if (active === null) {
      const text = 'layer_types asks for sliding_attention but use_sliding_window is off or sliding_window is null';
      throw invalidConfig(`${where}: ${text}`, { where });
    }
    return active;
  });
}
