import type { SiteShape } from '../solver.ts';

/** A weight, or the stack that it is a member of, with the side that its atoms lie on: inputs unless it says outputs. */
export interface DictionaryShape extends SiteShape {
  readonly atomsOver?: 'outputs';
}

/**
 * A shape with its atoms where `dictionary` has them: on the shorter side of the weight, and over the outputs of what reads several inputs.
 */
export function dictionaryShape(shape: SiteShape): DictionaryShape {
  const { outFeatures, inFeatures, stackedInputs, stackedOutputs = [outFeatures] } = shape;
  return stackedInputs !== undefined || sum(stackedOutputs) < inFeatures ? { ...shape, atomsOver: 'outputs' } : shape;
}

/** Values of an atom. */
export function atomLengthOf({ atomsOver, outFeatures, inFeatures, stackedOutputs }: DictionaryShape): number {
  return atomsOver === 'outputs' ? sum(stackedOutputs ?? [outFeatures]) : inFeatures;
}

/** Coefficients of an atom in each site that has its own: over inputs one for each output, over outputs one for each input. */
export function widthsOf(shape: DictionaryShape): readonly number[] {
  const { outFeatures, inFeatures, stackedInputs, stackedOutputs } = shape;
  return shape.atomsOver === 'outputs' ? (stackedInputs ?? [inFeatures]) : (stackedOutputs ?? [outFeatures]);
}

/** Values of each site of the stack, or of the weight. */
export function elementsOf({ outFeatures, inFeatures, stackedInputs, stackedOutputs }: SiteShape): readonly number[] {
  if (stackedInputs) return stackedInputs.map(own => own * outFeatures);
  return (stackedOutputs ?? [outFeatures]).map(own => own * inFeatures);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
