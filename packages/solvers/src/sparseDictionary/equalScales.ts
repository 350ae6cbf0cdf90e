/** Factors after which all have the same energy, and their sum is what it was; 1 for what has none. */
export function equalScales(energies: readonly number[]): number[] {
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  return energies.map(energy => (energy > 0 ? Math.sqrt(total / (energies.length * energy)) : 1));
}
