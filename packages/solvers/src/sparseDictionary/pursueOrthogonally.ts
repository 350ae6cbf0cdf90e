import { createOrthogonalPursuit, type Matrix } from '@quern/linalg';
import type { NormalEquations } from './fitOnSupport.ts';

/**
 * Coefficients by orthogonal matching pursuit: floor(nonzeroCount / rows) atoms an output, what is left of `nonzeroCount` to the
 * outputs whose next atom helps most.
 *
 * Source: Pati, Rezaiifar and Krishnaprasad 1993; see createOrthogonalPursuit for how.
 * Cost: outFeatures atomCount (nonzeroCount / outFeatures)^2 / 2 multiply-adds. Outputs that fewer atoms meet have fewer.
 */
export function pursueOrthogonally(
  { atomGram, correlations }: NormalEquations,
  nonzeroCount: number,
): Matrix<Float64Array> {
  const { rows, columns } = correlations;
  const each = Math.min(columns, Math.floor(nonzeroCount / rows));
  const most = Math.min(columns, Math.ceil(nonzeroCount / rows));
  const pursuit = createOrthogonalPursuit(atomGram, most);
  const coefficients = { rows, columns, data: new Float64Array(rows * columns) };
  const longer = { rows, columns, data: new Float64Array(most > each ? rows * columns : 0) };
  const lastGains = new Float64Array(rows);
  const write = (target: Matrix<Float64Array>, row: number, steps: number): void => {
    pursuit.fit(steps);
    for (let step = 0; step < steps; step++) {
      target.data[row * columns + pursuit.chosen[step]!] = pursuit.coefficients[step]!;
    }
  };
  for (let row = 0; row < rows; row++) {
    const steps = pursuit.pursue(correlations.data.subarray(row * columns, (row + 1) * columns), most);
    write(coefficients, row, Math.min(each, steps));
    if (steps <= each) continue;
    write(longer, row, steps);
    lastGains[row] = pursuit.gains[steps - 1]! ** 2;
  }
  const byGain = Array.from(lastGains.keys()).sort((a, b) => lastGains[b]! - lastGains[a]! || a - b);
  for (const row of byGain.slice(0, most > each ? nonzeroCount - each * rows : 0)) {
    if (lastGains[row] === 0) continue;
    coefficients.data.set(longer.data.subarray(row * columns, (row + 1) * columns), row * columns);
  }
  return coefficients;
}
