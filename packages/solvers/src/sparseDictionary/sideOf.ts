import type { StackedSite } from '../solver.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import type { DictionarySide } from './dictionarySide.ts';
import { isOverOutputs } from './isOverOutputs.ts';
import { overInputs } from './overInputs.ts';
import { overOutputs } from './overOutputs.ts';
import { stackSites } from './stackSites.ts';

/** The stack of sites with the atoms where they are shorter. */
export async function sideOf(sites: readonly StackedSite[], format: DictionaryFormat): Promise<DictionarySide> {
  const stack = await stackSites(sites);
  const outputs = sites.map(({ weight }) => weight.rows);
  const { segments } = stack;
  const isOver = segments.length > 1 || isOverOutputs(segments[0]!.weight, format);
  return isOver ? overOutputs(stack, outputs) : overInputs(stack, outputs, format);
}
