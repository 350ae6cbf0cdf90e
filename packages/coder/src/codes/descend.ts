/** The lowest point of a function of 0 .. last that falls and then rises: a walk downhill from `start`. */
export function descend(
  start: number,
  last: number,
  costAt: (scale: number) => number,
): { readonly scale: number; readonly cost: number } {
  let scale = Math.max(0, Math.min(last, start));
  let cost = costAt(scale);
  for (const step of [1, -1]) {
    for (let next = scale + step; next >= 0 && next <= last; next += step) {
      const nextCost = costAt(next);
      if (nextCost >= cost) break;
      cost = nextCost;
      scale = next;
    }
  }
  return { scale, cost };
}
