import type { CompressedWeight, InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { SolverOptions } from './solver.ts';
import { solvers } from './solvers.ts';

/** What the contract suites run over: every method, with settings that change what it computes. */
export const VARIANTS: Readonly<Record<string, readonly SolverOptions[]>> = {
  rtn: [{}, { bits: 3, symmetric: false }],
  hqq: [{}, { bits: 2, groupSize: 16, symmetric: true, norm: 1 }],
  gptq: [{}, { bits: 3, groupSize: 64, symmetric: false }, { bits: 8, groupSize: 'channel', actOrder: true }],
  awq: [{}, { bits: 3, groupSize: 64, symmetric: false }, { bits: 2, groupSize: 'channel', clip: false }],
  'rtn+lowrank': [{}, { bits: 2, rank: 5, correctionBits: 4 }],
  'hqq+lowrank': [{ bits: 2, rank: 3 }],
  'gptq+lowrank': [{}, { bits: 3, symmetric: false, iterations: 2 }, { rank: 1, iterations: 1, correctionBits: 8 }],
  'gptq+dictionary': [
    { bits: 2, correctionRate: 3, sweeps: 3, iterations: 2 },
    { bits: 3, correctionRate: 6, correctionBits: 16, atomsPerNonzero: 2, sweeps: 2, iterations: 1 },
  ],
  aqlm: [
    {},
    { bits: 2, group: 8, codebooks: 4, codebookBits: 4, beam: 2, sweeps: 2 },
    { bits: 2.5, group: 6, codebooks: 3, sweeps: 2 },
  ],
  dense: [{}],
  svd: [{ ratio: 0.2 }, { rank: 3 }, { ratio: 0.6, bits: 4, groupSize: 16 }],
  asvd: [{ ratio: 0.4 }, { rank: 4, alpha: 1 }, { ratio: 0.6, bits: 3 }],
  'svd-llm': [{ ratio: 0.2 }, { rank: 5 }, { ratio: 0.6, bits: 8, groupSize: 'channel' }],
  'svd-llm-v2': [{ ratio: 0.4 }, { rank: 2, bits: 2 }],
  'basis-sharing': [{ ratio: 0.2 }, { rank: 4, bits: 4 }],
  compot: [{ ratio: 0.2 }, { ratio: 0.5, atomsPerNonzero: 3, sweeps: 4 }],
  cospadi: [
    { ratio: 0.2, sweeps: 4 },
    { ratio: 0.5, atomsPerNonzero: 4, sweeps: 3, seed: 7 },
  ],
  'cospadi-grouped': [
    { ratio: 0.2, sweeps: 3 },
    { ratio: 0.5, atomsPerNonzero: 4, sweeps: 2, seed: 7 },
  ],
  geopair: [
    { ratio: 0.2, sweeps: 10 },
    { ratio: 0.5, atomsPerNonzero: 3, sweeps: 4 },
  ],
  rocket: [{ ratio: 0.2 }, { ratio: 0.5, atomsPerNonzero: 3 }],
  dictionary: [
    { ratio: 0.2 },
    { ratio: 0.5, atomsPerNonzero: 2, sweeps: 3 },
    { ratio: 0.75, bits: 3, atomBits: 4, sweeps: 3 },
  ],
  watersic: [{}, { bits: 1.7 }, { bits: 2.5, deadZone: 0.2 }],
};

/** A method with one of its variants. */
export interface ContractCase {
  readonly name: string;
  readonly variant: SolverOptions;
}

export const CONTRACT_CASES: readonly ContractCase[] = Object.entries(VARIANTS).flatMap(([name, variants]) =>
  variants.map(variant => ({ name, variant })),
);

/** Methods that give factors alone. */
export const LOW_RANK = Object.keys(VARIANTS).filter(
  name => solvers[name]?.optionsSchema.shape.rank !== undefined && !name.includes('+'),
);

/** A weight with its statistics. */
export interface Site {
  readonly weight: Matrix<Float32Array>;
  readonly statistics: InputStatistics | null;
}

/** Solves sites of one shape: together by a group solver, one after the other by any other. */
export async function solveSites(
  name: string,
  sites: readonly Site[],
  options: SolverOptions,
): Promise<CompressedWeight[]> {
  const solver = solvers[name]!;
  if (solver.needs === 'group') {
    return solver.solve(
      sites.map(({ weight }) => weight),
      sites.map(({ statistics }) => statistics),
      options,
    );
  }
  const results: CompressedWeight[] = [];
  for (const { weight, statistics } of sites) {
    if (solver.needs === 'stack') results.push(...(await solver.solve([{ weight, statistics }], options)));
    else if (solver.needs === 'sharedInput') results.push(...(await solver.solve([{ weight, options }], statistics)));
    else results.push(await solver.solve(weight, statistics, options));
  }
  return results;
}
