/** What the model lost when one site alone ran with an error. */
export interface MeasuredLoss {
  /** Squared relative output error of the site. */
  readonly error: number;
  /** Divergence of the model from the original, nats per token. */
  readonly loss: number;
}

/** Powers of the error with which a loss may grow: 1 is that of small errors, where a loss is quadratic in the outputs. */
const [LEAST_POWER, MOST_POWER] = [0.5, 2];

/**
 * The loss at any error of a site, from one or two measured ones: a power of the error through both, log-log; below the smaller one it
 * falls in proportion to the error, as every smooth loss does in the end, and where one alone was measured it does so everywhere.
 * A site that lost nothing measurable loses nothing.
 */
export function predictLoss(measured: readonly MeasuredLoss[], error: number): number {
  const known = measured
    .filter(point => point.error > 0 && point.loss > 0)
    .toSorted((left, right) => left.error - right.error);
  const [low, high = low] = known;
  if (low === undefined || high === undefined || error <= 0) return 0;
  const slope = Math.log(high.loss / low.loss) / Math.log(high.error / low.error);
  const power = low.error === high.error ? 1 : Math.min(MOST_POWER, Math.max(LEAST_POWER, slope));
  const above = Math.max(error, low.error);
  return high.loss * (above / high.error) ** power * Math.min(1, error / low.error);
}
