/** The dead zone that loses least at a rate: below 3 bits zeros are worth more than the error that they cost. */
export function deadZoneAt(bits: number): number {
  return Math.max(0, Math.min(0.1, 0.07 * (3 - bits)));
}
