import { architectures } from './architectures.ts';

/** Whether models of a `model_type` in config.json say little of a text without BOS before it. */
export function needsBos(modelType: unknown): boolean {
  return [...architectures.values()].some(known => known.modelType === modelType && known.bosEverywhere);
}
