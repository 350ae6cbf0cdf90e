import type { StackedSite } from '../solver.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryShape, dictionaryShape } from './dictionaryShape.ts';
import type { DictionarySide } from './dictionarySide.ts';
import { overInputs } from './overInputs.ts';
import { overOutputs } from './overOutputs.ts';
import { type SiteStack, stackSites } from './stackSites.ts';

/** The stack of sites with the atoms where they are shorter. */
export async function sideOf(sites: readonly StackedSite[], format: DictionaryFormat): Promise<DictionarySide> {
  const stack = await stackSites(sites);
  const shape = shapeOf(sites, stack);
  return shape.atomsOver === 'outputs' ? overOutputs(stack, shape, format) : overInputs(stack, shape, format);
}

function shapeOf(sites: readonly StackedSite[], { segments }: SiteStack): DictionaryShape {
  const { rows, columns } = sites[0]!.weight;
  const first = { outFeatures: rows, inFeatures: columns };
  const weights = sites.map(({ weight }) => weight);
  return dictionaryShape(
    segments.length === 1
      ? { ...first, stackedOutputs: weights.map(weight => weight.rows) }
      : { ...first, stackedInputs: weights.map(weight => weight.columns) },
  );
}
