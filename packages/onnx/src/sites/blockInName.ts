/** `model.layers.3.`, `transformer/h/0/`, `encoder.layer.11.`, `blocks_2_`: a list of blocks and an index. */
const NUMBERED_BLOCK = /(?:^|[./_])(?:layers?|(?:res)?blocks?|blk|h)[./_](\d+)(?=[./_]|$)/i;

/** A block as a name tells it. */
export interface NamedBlock {
  readonly index: number;
  /** `encoder`, `decoder` or empty: an encoder and a decoder both count from 0. */
  readonly stack: string;
}

/** Reads the block index out of a name; null when it tells none. */
export function blockInName(name: string): NamedBlock | null {
  const match = NUMBERED_BLOCK.exec(name);
  if (!match) return null;
  return { index: Number(match[1]), stack: /encoder|decoder/i.exec(name)?.[0].toLowerCase() ?? '' };
}
