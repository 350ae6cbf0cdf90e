/** Atoms per nonzero that are tried where none is given. */
export const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.8, 4, 5.6];
