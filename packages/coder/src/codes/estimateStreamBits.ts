import { type CodeMatrix, chooseScales } from './chooseScales.ts';
import { SCALE_COUNT } from './codeFamily.ts';
import { LANES } from './codeStream.ts';
import { ONE_STATE_CODES } from './encodeCodes.ts';

/** The two lightest shapes at every scale: what weights quantised on a uniform grid look like. */
const LADDERS = [0, 1].map(shape => ({ shape, firstScale: 0, count: SCALE_COUNT }));

/** Bytes of a stream beside codes, scales and states. */
const HEADER_BYTES = 17;

/**
 * Length of the stream that `encodeCodes` would make of codes, in bits, side information and all, without tables and without
 * making it: for rate control.
 *
 * Unlike `codeLength` it knows that rows differ in scale and what the scales cost. Off by the sampling of rows and columns beyond
 * 512, and by what a model's own tables lack: some tenths of a per cent.
 *
 * @param matrix codes `[rows, columns]` from 0 to 2^bits - 1; the middle code 2^(bits - 1) stands for 0.
 * Cost: that of `chooseScales`.
 */
export function estimateStreamBits(matrix: CodeMatrix): number {
  const states = matrix.codes.length > ONE_STATE_CODES ? LANES : 1;
  return chooseScales(matrix, LADDERS).bits + 8 * (HEADER_BYTES + 4 * states - 2 * states);
}
