import type { Matrix } from '../matrix.ts';
import { FIRST_BYTE, openKernels } from '../wasm/openKernels.ts';

/** Eigenvalues of D + rho z z^T and a way to its eigenvectors, a few at a time. */
export interface SecularSolution {
  readonly roots: Float64Array;
  /**
   * Eigenvectors of roots [from, to), to - from at most SECULAR_ROWS, one a row: their components of the first `leftCount` poles in
   * the order given, and those of the poles from `rightStart` on. Views that the next call overwrites.
   */
  vectors(from: number, to: number, leftCount: number, rightStart: number): SecularVectors;
}

export interface SecularVectors {
  readonly left: Matrix<Float64Array>;
  readonly right: Matrix<Float64Array>;
}

/** Solves one problem after the other in the same memory. */
export type SecularSolver = (poles: Float64Array, z: Float64Array, rho: number, order: number[]) => SecularSolution;

/** Eigenvectors that are made at once. */
export const SECULAR_ROWS = 256;

/**
 * A solver for up to `capacity` poles: ascending and distinct `poles`, `z` without zeros, and `order`, the order in which
 * components are wanted. Takes 8 (9 capacity + 512 capacity) bytes.
 * Errors: when a root did not converge.
 */
export function createSecularSolver(capacity: number): SecularSolver {
  const rowBytes = capacity * 8;
  const [polesAt, zAt, squaresAt, weightsAt, offsetsAt, originsAt, orderedPolesAt, orderedWeightsAt, rowAt, nearestAt] =
    Array.from({ length: 10 }, (_, index) => FIRST_BYTE + index * rowBytes) as Ten;
  const leftAt = nearestAt + rowBytes;
  const rightAt = leftAt + SECULAR_ROWS * rowBytes;
  const kernels = openKernels(rightAt + SECULAR_ROWS * rowBytes - FIRST_BYTE);
  const view = (at: number, length: number) => new Float64Array(kernels.memory.buffer, at, length);
  return (poles, z, rho, order) => {
    const count = poles.length;
    view(polesAt, count).set(poles);
    view(zAt, count).set(z);
    view(squaresAt, count).set(z.map(value => value * value));
    const failed = kernels.secularRoots(polesAt, squaresAt, count, rho, nearestAt, offsetsAt);
    if (failed >= 0) throw new Error(`The secular equation's root ${failed} of ${count} did not converge.`);
    kernels.secularWeights(polesAt, zAt, count, nearestAt, offsetsAt, weightsAt);
    const offsets = view(offsetsAt, count);
    const nearest = new Int32Array(kernels.memory.buffer, nearestAt, count);
    const origins = view(originsAt, count);
    for (let root = 0; root < count; root++) origins[root] = poles[nearest[root]!]!;
    const weights = view(weightsAt, count);
    view(orderedPolesAt, count).set(order.map(index => poles[index]!));
    view(orderedWeightsAt, count).set(order.map(index => weights[index]!));
    return {
      roots: origins.map((origin, root) => origin + offsets[root]!),
      vectors(from, to, leftCount, rightStart) {
        kernels.secularVectors(
          orderedPolesAt,
          orderedWeightsAt,
          count,
          originsAt,
          offsetsAt,
          from,
          to,
          rowAt,
          leftAt,
          leftCount,
          rightAt,
          rightStart,
        );
        const rows = to - from;
        const rightCount = count - rightStart;
        return {
          left: { rows, columns: leftCount, data: view(leftAt, rows * leftCount) },
          right: { rows, columns: rightCount, data: view(rightAt, rows * rightCount) },
        };
      },
    };
  };
}

type Ten = [number, number, number, number, number, number, number, number, number, number];
