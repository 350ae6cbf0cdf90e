import type { Matrix } from '@quern/linalg';
import type { DictionaryFormat } from './dictionaryFormat.ts';

/**
 * Whether atoms lie over the outputs of a weight, where they are shorter; of 'any' of several that have atoms in common, where they are not longer.
 * On grids they do not: there coefficients have a scale an output.
 */
export function isOverOutputs(
  { rows, columns }: Pick<Matrix, 'rows' | 'columns'>,
  { bits, atomBits }: DictionaryFormat,
  of: 'one' | 'any' = 'one',
): boolean {
  return bits === 16 && atomBits === 16 && (of === 'one' ? rows < columns : rows <= columns);
}
