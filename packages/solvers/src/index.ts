export { gptq } from './quantization/gptq.ts';
export { type GptqOptions, gptqOptions } from './quantization/gptqOptions.ts';
export { roundToNearest } from './quantization/roundToNearest.ts';
export { type RoundToNearestOptions, roundToNearestOptions } from './quantization/roundToNearestOptions.ts';
export { relativeOutputError } from './relativeOutputError.ts';
export { relativeWeightError } from './relativeWeightError.ts';
export type { Solver } from './solver.ts';
export { solvers } from './solvers.ts';
