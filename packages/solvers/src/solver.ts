import type { CompressedWeight, InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { z } from 'zod';

/** What the registry knows of one method. Options are data: checked against the schema, unknown keys refused. */
export interface Solver {
  readonly optionsSchema: z.ZodObject;
  /** What `solve` must be given besides the weight; statistics may be null for 'weight'. */
  readonly needs: 'weight' | 'inputGram';
  /** Pure: inputs stay as they are, the same inputs give the same result. `weight` is `[outFeatures, inFeatures]`. */
  readonly solve: (
    weight: Matrix<Float32Array>,
    statistics: InputStatistics | null,
    options: Readonly<Record<string, unknown>>,
  ) => Promise<CompressedWeight>;
}
