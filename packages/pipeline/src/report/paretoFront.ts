/** What a row costs and what it loses; less is better in both. */
export interface Trade {
  readonly cost: number;
  readonly loss: number;
}

/**
 * Indices, by rising cost, of the trades that no other one dominates. A trade dominates another when neither its cost nor its loss
 * is larger and at least one is smaller, so equal trades stand on the front together. Trades with a figure that is not finite, and
 * null for rows without figures, are never on it. O(n log n).
 */
export function paretoFront(trades: readonly (Trade | null)[]): number[] {
  const order = trades
    .flatMap((trade, index) => (trade && Number.isFinite(trade.cost) && Number.isFinite(trade.loss) ? [index] : []))
    .sort((a, b) => trades[a]!.cost - trades[b]!.cost || trades[a]!.loss - trades[b]!.loss || a - b);
  const front: number[] = [];
  let last: Trade | null = null;
  for (const index of order) {
    const trade = trades[index]!;
    const isEqual = last !== null && trade.cost === last.cost && trade.loss === last.loss;
    if (last !== null && trade.loss >= last.loss && !isEqual) continue;
    front.push(index);
    last = trade;
  }
  return front;
}
