import type { SiteShape, StackedSite } from '../solver.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import type { DictionaryShape } from './dictionaryShape.ts';
import type { DictionarySide } from './dictionarySide.ts';
import { overInputs } from './overInputs.ts';
import { overOutputs } from './overOutputs.ts';
import { type SiteStack, stackSites } from './stackSites.ts';

/** Where the atoms of a stack lie. */
export type SideRule = (shape: SiteShape) => DictionaryShape;

/** The stack of sites with the atoms where the rule has them. */
export async function sideOf(
  sites: readonly StackedSite[],
  format: DictionaryFormat,
  sideFor: SideRule,
): Promise<DictionarySide> {
  const stack = await stackSites(sites);
  const shape = sideFor(shapeOf(sites, stack));
  return shape.atomsOver === 'outputs' ? overOutputs(stack, shape, format) : overInputs(stack, shape, format);
}

function shapeOf(sites: readonly StackedSite[], { segments }: SiteStack): SiteShape {
  const { rows, columns } = sites[0]!.weight;
  const first = { outFeatures: rows, inFeatures: columns };
  const weights = sites.map(({ weight }) => weight);
  if (segments.length === 1) return { ...first, stackedOutputs: weights.map(weight => weight.rows) };
  return { ...first, stackedInputs: weights.map(weight => weight.columns) };
}
