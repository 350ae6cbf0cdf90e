import type { ModelScores, WindowScores } from './windowScores.ts';

/** Scores of windows that were scored in parts, in the order of the parts; of all a baseline, or of none. */
export function joinScores(parts: readonly WindowScores[]): WindowScores {
  const tokenCounts = joinIntegers(parts.map(part => part.tokenCounts));
  const own = { ...joinModels(parts), tokenCounts };
  const baselines = parts.flatMap(({ baseline }) => (baseline ? [baseline] : []));
  if (baselines.length === 0) return own;
  const integers = (name: 'topAgreements' | 'topFiveAgreements' | 'lost' | 'gained') =>
    joinIntegers(baselines.map(part => part[name]));
  const divergences = baselines.map(part => part.tokenDivergences);
  const baseline = {
    ...joinModels(baselines),
    klDivergence: joinFloats(baselines.map(part => part.klDivergence)),
    tokenDivergences: fill(new Float32Array(lengthOf(divergences)), divergences),
    topAgreements: integers('topAgreements'),
    topFiveAgreements: integers('topFiveAgreements'),
    lost: integers('lost'),
    gained: integers('gained'),
  };
  return { ...own, baseline };
}

function joinModels(parts: readonly ModelScores[]): ModelScores {
  return {
    nll: joinFloats(parts.map(part => part.nll)),
    right: joinIntegers(parts.map(part => part.right)),
    gaps: joinFloats(parts.map(part => part.gaps)),
  };
}

function joinFloats(parts: readonly Float64Array[]): Float64Array {
  return fill(new Float64Array(lengthOf(parts)), parts);
}

function joinIntegers(parts: readonly Int32Array[]): Int32Array {
  return fill(new Int32Array(lengthOf(parts)), parts);
}

function lengthOf(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function fill<Joined extends { set(part: Joined, offset: number): void; readonly length: number }>(
  joined: Joined,
  parts: readonly Joined[],
): Joined {
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
