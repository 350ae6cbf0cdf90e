import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/** Deterministic inputs for the tests of this package. */

/** Values in [-scale, scale) from a 32-bit linear congruential generator. */
export function randomWeight(rows: number, columns: number, seed = 1, scale = 1): Matrix<Float32Array> {
  let state = (seed * 747796405 + 2891336453) >>> 0;
  const data = Float32Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
  return { rows, columns, data };
}

/** Activations `[tokenCount, inFeatures]` whose neighbours are correlated and whose energies differ. */
export function randomActivations(tokenCount: number, inFeatures: number, seed = 2): Matrix<Float32Array> {
  const activations = randomWeight(tokenCount, inFeatures, seed);
  const { data } = activations;
  for (let index = 0; index < data.length; index++) {
    const input = index % inFeatures;
    if (input > 0) data[index] = 0.7 * data[index - 1]! + data[index]! * (1 + (input % 7));
  }
  return activations;
}

/** The statistics that calibration would sum over these activations, by plain loops. */
export function statisticsOf(activations: Matrix<Float32Array>): InputStatistics {
  const { rows, columns, data } = activations;
  const gram = new Float64Array(columns * columns);
  const meanAbsolute = new Float64Array(columns);
  for (let token = 0; token < rows; token++) {
    for (let row = 0; row < columns; row++) {
      const value = data[token * columns + row]!;
      meanAbsolute[row]! += Math.abs(value) / rows;
      for (let column = 0; column < columns; column++)
        gram[row * columns + column]! += value * data[token * columns + column]!;
    }
  }
  return { inputGram: { rows: columns, columns, data: gram }, tokenCount: rows, meanAbsolute };
}

/** Statistics of inputs that are never active together: a diagonal Gram. */
export function diagonalStatistics(inFeatures: number): InputStatistics {
  const gram = new Float64Array(inFeatures * inFeatures);
  for (let input = 0; input < inFeatures; input++) gram[input * inFeatures + input] = 1 + ((input * 37) % 11);
  const meanAbsolute = new Float64Array(inFeatures).fill(1);
  return { inputGram: { rows: inFeatures, columns: inFeatures, data: gram }, tokenCount: 64, meanAbsolute };
}

/** Statistics of white inputs: G = I. */
export function identityStatistics(inFeatures: number): InputStatistics {
  const data = new Float64Array(inFeatures * inFeatures);
  for (let index = 0; index < data.length; index += inFeatures + 1) data[index] = 1;
  const meanAbsolute = new Float64Array(inFeatures).fill(1);
  return { inputGram: { rows: inFeatures, columns: inFeatures, data }, tokenCount: inFeatures, meanAbsolute };
}

/** A weight that is the product of random factors of this rank. */
export function plantedWeight(rows: number, columns: number, rank: number): Matrix<Float32Array> {
  const left = randomWeight(rows, rank, 31);
  const right = randomWeight(rank, columns, 32);
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let component = 0; component < rank; component++) {
        data[row * columns + column]! += left.data[row * rank + component]! * right.data[component * columns + column]!;
      }
    }
  }
  return { rows, columns, data };
}
