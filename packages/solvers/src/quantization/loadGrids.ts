import type { ColumnQuantizer } from '@quern/linalg';
import type { GroupGrids } from './groupGrids.ts';

/** Hands the kernel the grids of one input, for the outputs [start, end), as those of the block's column `columnInBlock`. */
export function loadGrids(
  { rule, groupSize, groupCount, scales, zeroPoints }: GroupGrids,
  input: number,
  start: number,
  end: number,
  quantizer: ColumnQuantizer,
  columnInBlock: number,
): void {
  const middle = 2 ** (rule.bits - 1);
  const group = Math.floor(input / groupSize);
  const at = columnInBlock * quantizer.outputStride - start;
  for (let output = start; output < end; output++) {
    quantizer.scales[at + output] = scales[output * groupCount + group]!;
    quantizer.zeroPoints[at + output] = zeroPoints ? zeroPoints[output * groupCount + group]! : middle;
  }
}
