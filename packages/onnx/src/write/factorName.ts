import { blockInName } from '../sites/blockInName.ts';
import { nodeStem, weightStem } from '../sites/siteNames.ts';

/**
 * Names for one factor of a replaced weight: `/proj/MatMul` -> `/proj/right/MatMul`, `proj.MatMul.weight` ->
 * `proj.right.MatMul.weight`. The node takes after the weight or the output where only that tells the decoder block: a
 * shared factor has no weight of its own to tell it.
 */
export function factorName(
  replaced: { readonly nodeName: string; readonly weightName: string; readonly output: string },
  factor: 'left' | 'right',
): { nodeName: string; weightName: string } {
  const { nodeName, weightName, output } = replaced;
  const weight = weightStem(weightName);
  const node = [nodeStem(nodeName), weight, output].find(name => blockInName(name) !== null) ?? nodeStem(nodeName);
  return { nodeName: `${node}/${factor}/MatMul`, weightName: `${weight}.${factor}.MatMul.weight` };
}
