import type { CompressedWeight, InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { z } from 'zod';
import type { RatePoint } from './entropyCoded/rateCurve.ts';

/** What a method is asked to do, as a recipe says it: checked against the schema, unknown keys refused. */
export type SolverOptions = Readonly<Record<string, unknown>>;

/** How a ratio for the whole model is spread over ranks; see the functions in allocation/. */
export type RankAllocation = 'uniform' | 'pooled' | 'truncationLoss';

/**
 * How a ratio for the whole model is spread over its sites. Methods with a rate curve take 'uniform', 'pooled', the least sum of relative
 * squared errors, and 'sensitivity', the same weighted by how much the model minds each site's error.
 */
export type Allocation = RankAllocation | 'sensitivity';

/** The sides of a weight whose size is asked for. */
export interface SiteShape {
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** Sites of the group that this one is a member of; for group solvers only. Default: the options' `blocksPerGroup`. */
  readonly siteCount?: number;
  /** For stack solvers only: outputs of each site that reads the same input and is one weight with this one, itself among them. Default: it is alone. */
  readonly stackedOutputs?: readonly number[];
  /** The same where the sites read several inputs: inputs of each. Not both. */
  readonly stackedInputs?: readonly number[];
}

interface SolverFacts {
  readonly optionsSchema: z.ZodObject;
  /**
   * Exact bits that a solved weight takes, before it exists, scales taken as float16; of sparse factors with masks. For a member of a group
   * or a stack: its share.
   * Errors: INVALID_OPTION.
   */
  readonly storageBits: (shape: SiteShape, options: SolverOptions) => number;
  /** How methods that take `ratio` or `rank` spread a ratio over sites by default; null for those that take neither. */
  readonly allocation: Allocation | null;
  /**
   * Of methods that take a ratio and whose storageBits lets every one pass, since one that is spread need not hold at each site.
   * Errors: INVALID_OPTION for a ratio that this weight, or the stack that it is in, cannot meet.
   */
  readonly checkRatio?: (shape: SiteShape, options: SolverOptions) => void;
  /** The least ratio that the format of these options can meet, of methods that can't meet all: a site is then given that, or stays as it is. */
  readonly leastRatio?: (shape: SiteShape, options: SolverOptions) => number;
  /**
   * Whether kernels read wider numbers than `bits` says: weights that are put together at load, or codes that lie in 4 or 8 bits. A target
   * without kernels for narrow codes runs them all the same.
   */
  readonly runsWider?: true;
  /** Whether results carry an `inputScale`, the same for all sites that read an input. */
  readonly scalesInput?: true;
  /**
   * What a weight loses at falling rates, by rising bits: from it the bits of a whole model are spread over its sites. Of methods that take
   * a ratio, and of those whose codes are meant for an entropy coder.
   */
  readonly rateCurve?: (
    weight: Matrix<Float32Array>,
    statistics: InputStatistics | null,
    options: SolverOptions,
  ) => Promise<RatePoint[]>;
}

/** A method that solves each site by itself. */
export interface SingleSolver extends SolverFacts {
  /** What `solve` must be given besides the weight; statistics may be null for 'weight'. */
  readonly needs: 'weight' | 'inputGram';
  /** Pure: inputs stay as they are, the same inputs give the same result. `weight` is `[outFeatures, inFeatures]`. */
  readonly solve: (
    weight: Matrix<Float32Array>,
    statistics: InputStatistics | null,
    options: SolverOptions,
  ) => Promise<CompressedWeight>;
}

/** A method that solves several sites of the same shape together, one per block. */
export interface GroupSolver extends SolverFacts {
  readonly needs: 'group';
  /** Pure, like {@link SingleSolver.solve}; one weight, its statistics and one result per site, in the same order. */
  readonly solve: (
    weights: readonly Matrix<Float32Array>[],
    statistics: readonly (InputStatistics | null)[],
    options: SolverOptions,
  ) => Promise<CompressedWeight[]>;
}

/** One of the sites that read the same input. */
export interface SharedInputSite {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly options: SolverOptions;
}

/** A method that solves all sites that read the same input together, in their block's turn. */
export interface SharedInputSolver extends SolverFacts {
  readonly needs: 'sharedInput';
  /** Pure, like {@link SingleSolver.solve}; one result per site, in the same order. */
  readonly solve: (
    sites: readonly SharedInputSite[],
    statistics: InputStatistics | null,
  ) => Promise<CompressedWeight[]>;
}

/** One of the sites that a solver takes for one weight. */
export interface StackedSite {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly statistics: InputStatistics | null;
  /** Sites with the same one read the same input; all do where it is left out. */
  readonly inputName?: string;
}

/**
 * A method that takes sites of one block with the same options for one weight, with one ratio and one size: all that read one input, or
 * some of as many outputs that each are alone on theirs.
 */
export interface StackSolver extends Omit<SolverFacts, 'rateCurve'> {
  readonly needs: 'stack';
  /** Whether a weight that is alone on its input may stand beside others of as many outputs. */
  readonly joinsOutputs: (shape: SiteShape, options: SolverOptions) => boolean;
  /** Pure, like {@link SingleSolver.solve}; one result per site, in the same order. */
  readonly solve: (sites: readonly StackedSite[], options: SolverOptions) => Promise<CompressedWeight[]>;
  /** Of all sites together; the loss is the mean of their relative squared errors. */
  readonly rateCurve: (sites: readonly StackedSite[], options: SolverOptions) => Promise<RatePoint[]>;
}

/** What the registry knows of one method; told apart by `needs`. */
export type Solver = SingleSolver | GroupSolver | SharedInputSolver | StackSolver;
