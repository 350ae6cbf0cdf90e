import { aqlm } from './codebook/aqlm.ts';
import { aqlmOptions } from './codebook/aqlmOptions.ts';
import { aqlmStorageBits } from './codebook/codebookFormat.ts';
import { dense, denseOptions } from './dense.ts';
import { rateCurve } from './entropyCoded/rateCurve.ts';
import { watersic } from './entropyCoded/watersic.ts';
import { watersicOptions } from './entropyCoded/watersicOptions.ts';
import { asvd, asvdOptions } from './lowRank/asvd.ts';
import { basisSharing, basisSharingOptions } from './lowRank/basisSharing.ts';
import type { GridSolver } from './lowRank/gridSolver.ts';
import { lowRankOptions } from './lowRank/lowRankOptions.ts';
import { lowRankStorageBits } from './lowRank/lowRankStorageBits.ts';
import { svdLlm } from './lowRank/svdLlm.ts';
import { svdLlmV2 } from './lowRank/svdLlmV2.ts';
import { truncatedSvd } from './lowRank/truncatedSvd.ts';
import { withCorrection } from './lowRank/withCorrection.ts';
import { parseOptions } from './parseOptions.ts';
import { awq } from './quantization/awq.ts';
import { awqOptions } from './quantization/awqOptions.ts';
import { gptq } from './quantization/gptq.ts';
import { gptqOptions } from './quantization/gptqOptions.ts';
import { gridStorageBits } from './quantization/gridStorageBits.ts';
import { hqq } from './quantization/hqq.ts';
import { hqqOptions } from './quantization/hqqOptions.ts';
import { roundToNearest } from './quantization/roundToNearest.ts';
import { roundToNearestOptions } from './quantization/roundToNearestOptions.ts';
import type { SingleSolver, Solver } from './solver.ts';
import { compot, compotCurve } from './sparseDictionary/compot.ts';
import { cospadi } from './sparseDictionary/cospadi.ts';
import { cospadiGrouped } from './sparseDictionary/cospadiGrouped.ts';
import { dictionary } from './sparseDictionary/dictionary.ts';
import { dictionaryFormat } from './sparseDictionary/dictionaryFormat.ts';
import {
  compotOptions,
  cospadiGroupedOptions,
  cospadiOptions,
  dictionaryOptions,
  geopairOptions,
  rocketOptions,
} from './sparseDictionary/dictionaryOptions.ts';
import { dictionaryRateCurve } from './sparseDictionary/dictionaryRateCurve.ts';
import { dictionaryShape } from './sparseDictionary/dictionaryShape.ts';
import {
  checkDictionaryRatio,
  dictionarySize,
  dictionaryStorageBits,
  leastRatio,
  sharedStorageBits,
} from './sparseDictionary/dictionarySize.ts';
import { geopair } from './sparseDictionary/geopair.ts';
import { rocket, rocketCurve } from './sparseDictionary/rocket.ts';
import { withDictionary } from './sparseDictionary/withDictionary.ts';

/** Quantisers on one grid. Each has a second method, `<name>+lowrank`, that corrects it. */
const gridSolvers: Readonly<Record<string, GridSolver>> = {
  rtn: {
    optionsSchema: roundToNearestOptions,
    needs: 'weight',
    allocation: null,
    storageBits: (shape, options) => gridStorageBits(shape, parseOptions(roundToNearestOptions, options, 'rtn')),
    solve: async (weight, _statistics, options) => roundToNearest(weight, options),
  },
  hqq: {
    optionsSchema: hqqOptions,
    needs: 'weight',
    allocation: null,
    storageBits: (shape, options) => gridStorageBits(shape, parseOptions(hqqOptions, options, 'hqq')),
    solve: async (weight, _statistics, options) => hqq(weight, options),
  },
  gptq: {
    optionsSchema: gptqOptions,
    needs: 'inputGram',
    allocation: null,
    storageBits: (shape, options) => gridStorageBits(shape, parseOptions(gptqOptions, options, 'gptq')),
    solve: gptq,
  },
};

const correctedSolvers: Readonly<Record<string, SingleSolver>> = Object.fromEntries(
  Object.entries(gridSolvers).map(([name, base]) => [`${name}+lowrank`, withCorrection(`${name}+lowrank`, base)]),
);

const sparseCorrected: Readonly<Record<string, SingleSolver>> = {
  'gptq+dictionary': withDictionary('gptq+dictionary', gridSolvers.gptq!),
};

/** Every method by the name that recipes and the command line use. */
export const solvers: Readonly<Record<string, Solver>> = {
  ...gridSolvers,
  ...correctedSolvers,
  ...sparseCorrected,
  dense: {
    optionsSchema: denseOptions,
    needs: 'weight',
    allocation: null,
    storageBits: ({ outFeatures, inFeatures }, options) => {
      parseOptions(denseOptions, options, 'dense');
      return 16 * outFeatures * inFeatures;
    },
    solve: async (weight, _statistics, options) => dense(weight, options),
  },
  svd: {
    optionsSchema: lowRankOptions,
    needs: 'weight',
    allocation: 'uniform',
    storageBits: (shape, options) => lowRankStorageBits(shape, parseOptions(lowRankOptions, options, 'svd')),
    solve: (weight, _statistics, options) => truncatedSvd(weight, options),
  },
  asvd: {
    optionsSchema: asvdOptions,
    needs: 'inputGram',
    allocation: 'uniform',
    storageBits: (shape, options) => lowRankStorageBits(shape, parseOptions(asvdOptions, options, 'asvd')),
    solve: asvd,
  },
  'svd-llm': {
    optionsSchema: lowRankOptions,
    needs: 'inputGram',
    allocation: 'uniform',
    storageBits: (shape, options) => lowRankStorageBits(shape, parseOptions(lowRankOptions, options, 'svd-llm')),
    solve: svdLlm,
  },
  'svd-llm-v2': {
    optionsSchema: lowRankOptions,
    needs: 'inputGram',
    allocation: 'truncationLoss',
    storageBits: (shape, options) => lowRankStorageBits(shape, parseOptions(lowRankOptions, options, 'svd-llm-v2')),
    solve: svdLlmV2,
  },
  'basis-sharing': {
    optionsSchema: basisSharingOptions,
    needs: 'group',
    allocation: 'uniform',
    storageBits(shape, options) {
      const settings = parseOptions(basisSharingOptions, options, 'basis-sharing');
      return lowRankStorageBits({ siteCount: settings.blocksPerGroup, ...shape }, settings);
    },
    solve: basisSharing,
  },
  compot: {
    optionsSchema: compotOptions,
    needs: 'inputGram',
    allocation: 'uniform',
    storageBits: (shape, options) => dictionaryStorageBits(shape, parseOptions(compotOptions, options, 'compot').ratio),
    checkRatio: (shape, options) => checkDictionaryRatio(shape, parseOptions(compotOptions, options, 'compot').ratio),
    solve: (weight, statistics, options) => compot(weight, statistics, parseOptions(compotOptions, options, 'compot')),
    rateCurve: compotCurve,
  },
  cospadi: {
    optionsSchema: cospadiOptions,
    needs: 'inputGram',
    allocation: 'uniform',
    storageBits: (shape, options) =>
      dictionaryStorageBits(shape, parseOptions(cospadiOptions, options, 'cospadi').ratio),
    checkRatio: (shape, options) => checkDictionaryRatio(shape, parseOptions(cospadiOptions, options, 'cospadi').ratio),
    solve: (weight, statistics, options) =>
      cospadi(weight, statistics, parseOptions(cospadiOptions, options, 'cospadi')),
    rateCurve: compotCurve,
  },
  'cospadi-grouped': {
    optionsSchema: cospadiGroupedOptions,
    needs: 'group',
    allocation: 'uniform',
    storageBits(shape, options) {
      const settings = parseOptions(cospadiGroupedOptions, options, 'cospadi-grouped');
      const { blocksPerGroup, ratio, atomsPerNonzero } = settings;
      const shared = { siteCount: blocksPerGroup, ...shape };
      const mostAtoms = Number.POSITIVE_INFINITY;
      return sharedStorageBits(shared, dictionarySize(shared, { ratio, atomsPerNonzero, mostAtoms }));
    },
    solve: (weights, statistics, options) =>
      cospadiGrouped(weights, statistics, parseOptions(cospadiGroupedOptions, options, 'cospadi-grouped')),
  },
  geopair: {
    optionsSchema: geopairOptions,
    needs: 'group',
    allocation: 'uniform',
    storageBits(shape, options) {
      const { blocksPerGroup, ratio, atomsPerNonzero } = parseOptions(geopairOptions, options, 'geopair');
      const shared = { siteCount: blocksPerGroup, ...shape };
      return sharedStorageBits(shared, dictionarySize(shared, { ratio, atomsPerNonzero }));
    },
    solve: (weights, statistics, options) =>
      geopair(weights, statistics, parseOptions(geopairOptions, options, 'geopair')),
  },
  rocket: {
    optionsSchema: rocketOptions,
    needs: 'inputGram',
    allocation: 'pooled',
    storageBits: (shape, options) => dictionaryStorageBits(shape, parseOptions(rocketOptions, options, 'rocket').ratio),
    checkRatio: (shape, options) => checkDictionaryRatio(shape, parseOptions(rocketOptions, options, 'rocket').ratio),
    solve: (weight, statistics, options) => rocket(weight, statistics, parseOptions(rocketOptions, options, 'rocket')),
    rateCurve: rocketCurve,
  },
  dictionary: {
    optionsSchema: dictionaryOptions,
    needs: 'stack',
    joinsOutputs: ({ outFeatures, inFeatures }) => outFeatures <= inFeatures,
    allocation: 'sensitivity',
    storageBits(shape, options) {
      const { ratio, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
      return dictionaryStorageBits(dictionaryShape(shape), ratio, dictionaryFormat(asked));
    },
    solve: (sites, options) => dictionary(sites, parseOptions(dictionaryOptions, options, 'dictionary')),
    checkRatio(shape, options) {
      const { ratio, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
      checkDictionaryRatio(dictionaryShape(shape), ratio, dictionaryFormat(asked));
    },
    leastRatio(shape, options) {
      const { ratio: _, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
      return leastRatio(dictionaryShape(shape), dictionaryFormat(asked));
    },
    rateCurve: dictionaryRateCurve,
  },
  awq: {
    optionsSchema: awqOptions,
    needs: 'sharedInput',
    scalesInput: true,
    allocation: null,
    storageBits(shape, options) {
      const settings = parseOptions(awqOptions, options, 'awq');
      return gridStorageBits(shape, settings) + settings.inputScaleBits * shape.inFeatures;
    },
    solve: awq,
  },
  aqlm: {
    optionsSchema: aqlmOptions,
    needs: 'inputGram',
    allocation: null,
    runsWider: true,
    storageBits: (shape, options) => aqlmStorageBits(shape, parseOptions(aqlmOptions, options, 'aqlm')),
    solve: aqlm,
  },
  watersic: {
    optionsSchema: watersicOptions,
    needs: 'sharedInput',
    scalesInput: true,
    allocation: null,
    runsWider: true,
    // As packed; the container is wider.
    storageBits: ({ outFeatures, inFeatures }, options) =>
      Math.round(parseOptions(watersicOptions, options, 'watersic').bits * outFeatures * inFeatures),
    solve: watersic,
    rateCurve,
  },
};
