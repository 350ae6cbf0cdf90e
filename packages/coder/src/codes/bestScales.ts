import { layOut } from '../wasm/layOut.ts';
import { openCoder } from '../wasm/openCoder.ts';

/** Scales that the kernel tries at once. */
const WINDOW = 16;
/** Lines handed to the kernel at once: half a megabyte of codes. */
const CHUNK_LINES = 1024;
/** Cost of a code under a scale past the ladder's last. */
const IMPOSSIBLE = 1e6;

/** Lines (rows or columns) of a matrix of codes, cut down to sampled positions. */
export interface LineSample {
  /** `[lineCount, positions.length]` */
  readonly codes: Uint8Array;
  readonly lineCount: number;
  /** The lines across that were sampled. */
  readonly positions: Uint32Array;
  /** Codes of a line for each one sampled. */
  readonly factor: number;
}

/** Costs of codes under the scales of a ladder, laid out for the kernel. */
export interface CostTable {
  /** -log2 p, `[2^bits, stride]`: past the ladder's end they are forbidding. */
  readonly costs: Float32Array;
  readonly stride: number;
}

export interface ScaleSearch {
  readonly table: CostTable;
  /** Highest scale that a line may take. */
  readonly last: number;
  /** Scales around which to look; all are tried where it is missing. */
  readonly near?: Uint8Array;
  /** What it costs to store a scale; nothing where it is missing. */
  readonly sideCosts?: Float64Array;
}

export interface BestScales {
  readonly scales: Uint8Array;
  /** Bits of all codes and scales, the latter alone. */
  readonly bits: number;
  readonly sideBits: number;
}

/** Costs for sums of two scales up to `count` - 1 + `reach` + WINDOW. */
export function costTable(costs: readonly Float64Array[], reach: number): CostTable {
  const stride = costs.length + reach + WINDOW;
  const codeCount = costs[0]!.length;
  const laidOut = new Float32Array(codeCount * stride).fill(IMPOSSIBLE);
  for (let code = 0; code < codeCount; code++) {
    for (let scale = 0; scale < costs.length; scale++) laidOut[code * stride + scale] = costs[scale]![code]!;
  }
  return { costs: laidOut, stride };
}

/**
 * The best scale of every line, given those of the lines across: code (line, other) costs -log2 p under the table number
 * scale of line + scale of other.
 *
 * Cost: 16 additions a sampled code for the scales near one, as many again for each further 16 scales where all are tried.
 */
export function bestScales(sample: LineSample, across: Uint8Array, search: ScaleSearch): BestScales {
  const { codes, lineCount, positions, factor } = sample;
  const { table, last, near, sideCosts } = search;
  const count = positions.length;
  const chunk = Math.min(lineCount, CHUNK_LINES);
  const { at, byteCount } = layOut({
    codes: chunk * count,
    across: 4 * count,
    firsts: 4 * chunk,
    sums: 4 * WINDOW * chunk,
    costs: table.costs.byteLength,
  });
  const { memory, scaleCosts } = openCoder(byteCount);
  const { buffer } = memory;
  new Float32Array(buffer, at.costs, table.costs.length).set(table.costs);
  new Uint32Array(buffer, at.across, count).set(positions.map(position => 4 * across[position]!));
  const firsts = new Uint32Array(buffer, at.firsts, chunk);
  const sums = new Float32Array(buffer, at.sums, WINDOW * chunk);
  const windows = near === undefined ? Math.ceil((last + 1) / WINDOW) : 1;
  const scales = new Uint8Array(lineCount);
  const lowest = new Float64Array(lineCount).fill(Number.POSITIVE_INFINITY);
  for (let start = 0; start < lineCount; start += chunk) {
    const lines = Math.min(chunk, lineCount - start);
    new Uint8Array(buffer, at.codes, lines * count).set(codes.subarray(start * count, (start + lines) * count));
    for (let window = 0; window < windows; window++) {
      for (let line = 0; line < lines; line++) {
        const first = near === undefined ? window * WINDOW : Math.max(0, near[start + line]! - WINDOW / 2);
        firsts[line] = 4 * first;
      }
      scaleCosts(at.codes, at.across, at.firsts, lines, count, at.costs, 4 * table.stride, at.sums);
      for (let line = 0; line < lines; line++) {
        const first = firsts[line]! / 4;
        const end = Math.min(WINDOW, last + 1 - first);
        for (let index = 0; index < end; index++) {
          const cost =
            factor * sums[line * WINDOW + index]! + (sideCosts === undefined ? 0 : sideCosts[first + index]!);
          if (cost >= lowest[start + line]!) continue;
          lowest[start + line] = cost;
          scales[start + line] = first + index;
        }
      }
    }
  }
  const sideBits = sideCosts === undefined ? 0 : scales.reduce((sum, scale) => sum + sideCosts[scale]!, 0);
  return { scales, bits: lowest.reduce((sum, cost) => sum + cost, 0), sideBits };
}
