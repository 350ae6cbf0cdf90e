import type { Matrix } from './matrix.ts';
import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/** Codebooks and the rows whose codes are searched together. */
export interface WordSearchShape {
  /** Rows at most. */
  readonly rowCapacity: number;
  /** Groups of a row, each with a code of every codebook. */
  readonly groupCount: number;
  /** Values of a word. */
  readonly length: number;
  readonly codebookCount: number;
  /** Words of a codebook. */
  readonly wordCount: number;
  /** Most sums that a search keeps. */
  readonly beam: number;
  /** Groups whose changes are kept apart. */
  readonly slots: number;
}

/** One group of all rows. */
export interface GroupSearch {
  readonly group: number;
  readonly rows: number;
  /** S, symmetric `[length, length]`. */
  readonly metric: Matrix<Float64Array>;
  readonly rounds: number;
  /** False: the codes that stand mean nothing yet. */
  readonly assigned: boolean;
  /** Where in `changes` the result goes. */
  readonly slot: number;
}

/** Memory and kernels for the search of codes. The arrays are the kernels' own memory. */
export interface WordSearch {
  /** `[length, rowCapacity]`: what the sums of words are wanted to be, in the metric; see `search`. */
  readonly linear: Float64Array<ArrayBuffer>;
  /** `[slots, length, rowCapacity]`: by how much a search changed the sums. */
  readonly changes: Float64Array<ArrayBuffer>;
  /** `[rowCapacity, groupCount, codebookCount]`. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** Takes words `[codebookCount, wordCount, length]`. */
  setWords(words: Float32Array): void;
  /**
   * For every row, codes of one group by beam search, so that v S v^T - 2 v . (linear + S v0) falls; v is the sum of the words, v0
   * what it was before (0 unless `assigned`). Returns what the values fell by, never less than 0 for codes that were assigned.
   */
  search(request: GroupSearch): number;
}

/** Words are scored in strips of so many. */
const STRIP = 16;

/**
 * Opens a search. Source: the coordinate-wise beam search over codes of AQLM (arXiv:2401.06118, section 3.1), within a group.
 * Cost of a search: rows rounds codebookCount beam wordCount length multiply-adds in float32.
 */
export function createWordSearch(shape: WordSearchShape): WordSearch {
  const { rowCapacity, groupCount, length, codebookCount, wordCount, beam, slots } = shape;
  const size = Math.ceil(wordCount / STRIP) * STRIP;
  const linearAt = FIRST_BYTE;
  const changesAt = linearAt + 8 * length * rowCapacity;
  const metricAt = changesAt + 8 * slots * length * rowCapacity;
  const workAt = metricAt + 8 * length * length;
  const wordsAt = workAt + 8 * (3 * beam + 2 * (beam + 1) * (length + codebookCount) + 3 * length + STRIP);
  const normsAt = wordsAt + 4 * codebookCount * length * size;
  const codesAt = normsAt + 4 * codebookCount * size;
  const { memory, wordNorms, searchWords } = openKernels(codesAt + 2 * rowCapacity * groupCount * codebookCount);
  const { buffer } = memory;
  const words = new Float32Array(buffer, wordsAt, codebookCount * length * size);
  const metricData = new Float64Array(buffer, metricAt, length * length);
  return {
    linear: new Float64Array(buffer, linearAt, length * rowCapacity),
    changes: new Float64Array(buffer, changesAt, slots * length * rowCapacity),
    codes: new Uint16Array(buffer, codesAt, rowCapacity * groupCount * codebookCount),
    setWords(given) {
      for (let line = 0; line < codebookCount * length; line++) {
        const codebook = Math.floor(line / length);
        const from = codebook * wordCount * length + (line % length);
        for (let word = 0; word < wordCount; word++) words[line * size + word] = given[from + word * length]!;
      }
    },
    search({ group, rows, metric, rounds, assigned, slot }) {
      metricData.set(metric.data);
      wordNorms(wordsAt, metricAt, normsAt, codebookCount, length, size, wordCount);
      return searchWords(
        linearAt,
        rowCapacity,
        rows,
        metricAt,
        wordsAt,
        normsAt,
        codebookCount,
        length,
        size,
        codesAt + 2 * group * codebookCount,
        2 * groupCount * codebookCount,
        beam,
        rounds,
        assigned ? 1 : 0,
        workAt,
        changesAt + 8 * slot * length * rowCapacity,
      );
    },
  };
}
