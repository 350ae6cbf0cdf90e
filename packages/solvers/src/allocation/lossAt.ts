import type { RatePoint } from '../entropyCoded/rateCurve.ts';

/** The loss of a curve at so many bits: its logarithm is linear between the points, and goes on so beyond them. */
export function lossAt(curve: readonly RatePoint[], bits: number): number {
  const last = curve.at(-1);
  if (last === undefined || curve.length < 2) return last?.loss ?? 0;
  if (last.loss === 0) return bits >= last.bits ? 0 : lossAt(curve.slice(0, -1), bits);
  let right = curve.findIndex(point => point.bits >= bits);
  if (right === -1) right = curve.length - 1;
  right = Math.max(1, right);
  const [from, to] = [curve[right - 1]!, curve[right]!];
  const share = (bits - from.bits) / (to.bits - from.bits);
  return 2 ** (Math.log2(from.loss) + share * (Math.log2(to.loss) - Math.log2(from.loss)));
}
