import { gptq } from './quantization/gptq.ts';
import { gptqOptions } from './quantization/gptqOptions.ts';
import { roundToNearest } from './quantization/roundToNearest.ts';
import { roundToNearestOptions } from './quantization/roundToNearestOptions.ts';
import type { Solver } from './solver.ts';

/** Every method by the name that recipes and the command line use. */
export const solvers: Readonly<Record<string, Solver>> = {
  rtn: {
    optionsSchema: roundToNearestOptions,
    needs: 'weight',
    solve: async (weight, _statistics, options) => roundToNearest(weight, options),
  },
  gptq: { optionsSchema: gptqOptions, needs: 'inputGram', solve: gptq },
};
