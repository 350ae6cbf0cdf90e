import type { StorageReport } from '../compressRequest.ts';
import type { Emit } from '../events.ts';
import type { Recipe } from '../recipe.ts';
import { readSize } from '../solve/readSize.ts';

/** Warns of a result that takes more than `recipe.targetSize`: by how much, and what to ask for instead. */
export function warnOfSize(
  { targetSize }: Pick<Recipe, 'targetSize'>,
  { compressedBytes }: Pick<StorageReport, 'compressedBytes'>,
  emit: Emit,
): void {
  if (targetSize === undefined) return;
  const target = readSize(targetSize);
  const over = compressedBytes - target;
  if (over <= 0) return;
  const message = `The result takes ${compressedBytes} bytes, ${over} more than --target-size ${targetSize}: ask for ${target - over}.`;
  emit({ kind: 'warning', message });
}
