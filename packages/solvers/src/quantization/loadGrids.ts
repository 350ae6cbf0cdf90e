import type { ColumnQuantizer } from '@quern/linalg';
import type { GroupGrids } from './groupGrids.ts';

/** Hands the kernel the grids of the inputs of a block's columns [from, to), for the outputs [start, end). */
export function loadGrids(
  { rule, groupSize, groupCount, scales, zeroPoints }: GroupGrids,
  inputs: Uint32Array,
  from: number,
  start: number,
  end: number,
  quantizer: ColumnQuantizer,
): void {
  const stride = quantizer.outputStride;
  const middle = 2 ** (rule.bits - 1);
  let loaded = -1;
  for (const [offset, input] of inputs.entries()) {
    const group = Math.floor(input / groupSize);
    const row = (from + offset) * stride;
    if (group === loaded) {
      quantizer.scales.copyWithin(row, row - stride, row);
      quantizer.zeroPoints.copyWithin(row, row - stride, row);
      continue;
    }
    loaded = group;
    for (let output = start; output < end; output++) {
      quantizer.scales[row - start + output] = scales[output * groupCount + group]!;
      quantizer.zeroPoints[row - start + output] = zeroPoints ? zeroPoints[output * groupCount + group]! : middle;
    }
  }
}
