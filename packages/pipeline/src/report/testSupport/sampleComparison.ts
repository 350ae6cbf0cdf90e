import { rowScores } from '../../evaluation/rowScores.ts';
import type { Comparison, ComparisonRow } from '../comparison.ts';
import { sampleEvaluation } from '../evaluation/testSupport/sampleEvaluation.ts';
import { sampleConvergence } from './sampleConvergence.ts';

/** What differs from a plain sample: number of blocks, texts to put in, and whether text was scored. */
export interface SampleOptions {
  readonly blockCount?: number;
  readonly modelPath?: string;
  readonly isScored?: boolean;
}

const TYPES = [
  'attn/q_proj',
  'attn/k_proj',
  'attn/v_proj',
  'attn/o_proj',
  'mlp/gate_proj',
  'mlp/up_proj',
  'mlp/down_proj',
];
const ELEMENTS_A_SITE = 331_776;
const ORIGINAL_PERPLEXITY = 11.37;

/** Error at 4 bits against round-to-nearest, side information in bits, and the rates that are compared. */
const GRIDS: readonly (readonly [string, number, number, readonly number[]])[] = [
  ['rtn', 1, 0.5, [2, 3, 4, 8]],
  ['gptq', 0.62, 0.5, [2, 3, 4, 8]],
  ['awq', 0.74, 0.5, [2, 3, 4, 8]],
  ['hqq', 0.83, 0.5, [2, 3, 4, 8]],
  ['gptq+lowrank', 0.52, 0.75, [2, 3, 4]],
  ['watersic', 0.44, 0.05, [2, 3, 4]],
];
const REDUCTIONS: readonly (readonly [string, number])[] = [
  ['svd-llm', 1],
  ['cospadi', 0.66],
];

/** 30 rows of eight families with figures as they come out in practice: absurd perplexities and one failure among them. */
export function sampleComparison(options: SampleOptions = {}): Comparison {
  const blockCount = options.blockCount ?? 6;
  const elementCount = blockCount * TYPES.length * ELEMENTS_A_SITE;
  const isScored = options.isScored ?? true;
  const next = sequence(5);
  const { evaluation, documents, damaged } = sampleEvaluation({ documentCount: 40 });
  const scores = rowScores(evaluation, documents, damaged.slice(0, 1));
  const row = (method: string, ratio: number | null, bits: number, error: number): ComparisonRow => {
    const loss = 0.9 * error ** 1.6 + 140 * error ** 6;
    const sites = Array.from({ length: blockCount * TYPES.length }, (_, index) => {
      const type = index % TYPES.length;
      const block = Math.floor(index / TYPES.length);
      const spread = 0.6 + 0.7 * next() + (type === 6 ? 0.9 : 0) + (block === 0 && type < 3 ? -0.4 : 0);
      return {
        name: `/model/layers.${block}/${TYPES[type]}/MatMul`,
        solver: method.split(/[:+]/)[0]!,
        storageBits: Math.round(bits * ELEMENTS_A_SITE),
        elementCount: ELEMENTS_A_SITE,
        relativeOutputError: error * spread,
        ...(method === 'cospadi' ? { convergence: sampleConvergence((error * spread) ** 2, 60) } : {}),
      };
    });
    const perplexity = ORIGINAL_PERPLEXITY * Math.exp(loss);
    return {
      method,
      ratio,
      options: ratio === null ? { groupSize: 32, symmetric: true, dampingFraction: 0.01 } : { ratio },
      storedBytes: Math.round((bits * elementCount) / 8),
      bitsPerWeight: bits,
      relativeOutputError: sites.reduce((sum, site) => sum + site.relativeOutputError, 0) / sites.length,
      perplexity: isScored ? perplexity : null,
      standardError: isScored ? perplexity * 0.018 : null,
      klDivergence: isScored ? loss * 0.93 : null,
      nllDifference: isScored ? loss : null,
      nllDifferenceStandardError: isScored ? 0.002 + 0.03 * loss : null,
      scores: isScored ? scores : null,
      solveMs: 1000 + 90_000 * next(),
      sites,
      failure: null,
    };
  };
  const rows = [
    ...GRIDS.flatMap(([name, factor, side, rates]) =>
      rates.map(bits => {
        const [base, correction] = name.split('+');
        const method = `${base}:${bits}${correction ? `+${correction}` : ''}`;
        return row(method, null, bits + side, 0.11 * factor * 2.35 ** (4 - bits));
      }),
    ),
    ...REDUCTIONS.flatMap(([name, factor]) =>
      [0.2, 0.3, 0.4, 0.5].map(ratio => row(name, ratio, 16 * (1 - ratio), 0.19 * factor * (1 + 5 * (ratio - 0.2)))),
    ),
  ];
  const failure = 'INDEFINITE_HESSIAN: pivot 12 of /model/layers.0/mlp/down_proj is 0; use more calibration windows';
  const failed: ComparisonRow = {
    ...row('cospadi', 0.6, 0, 0),
    ...{ relativeOutputError: null, perplexity: null, standardError: null, klDivergence: null },
    ...{ nllDifference: null, nllDifferenceStandardError: null, scores: null, solveMs: 0, sites: [], failure },
  };
  return {
    version: '0.1.0',
    model: {
      path: options.modelPath ?? 'models/demo',
      sha256: ['9f2c7c4a51c3a1a0a7be1e8e0e3f8f6f6d9f0c1b2a3948576655443322110ffe'],
      elementCount,
    },
    original: { perplexity: isScored ? ORIGINAL_PERPLEXITY : null, bytes: 2 * elementCount },
    evaluation: isScored ? { data: 'stories', windowLength: 512, stride: 512, tokenCount: 61_320 } : null,
    calibration: { data: 'stories', windows: 128, windowLength: 512, sha256: '0c1b'.repeat(16) },
    settings: { device: 'cpu', seed: 0, recipe: { head: { bits: 8 }, exclude: [] } },
    rows: [failed, ...rows].toSorted((a, b) => a.storedBytes - b.storedBytes),
  };
}

/** A deterministic sequence in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
