/**
 * How much longer than GPTQ does entropy-coded quantisation take? 2048 inputs, 8192 outputs. `passRatio`: one pass of the recursion over
 * the whole weight against GPTQ with groups of 32, both with the factor of the Hessian; the limit is 1.5. `samplePass`: one pass over the
 * 256 rows that stand for the weight while its step is sought, as a share of a whole pass; there are at most 6. `wholeRatio`: everything, with
 * rate control, the 4-bit try and the fit of the scales. One thread, processor time. Usage: node benchmarks/watersicSpeed.ts [inputs] [outputs]
 */
import { addGram, chooseEngine, type Matrix } from '../packages/linalg/src/index.ts';
import { quantizeOnSteps } from '../packages/solvers/src/entropyCoded/quantizeOnSteps.ts';
import { rootMeanSquare } from '../packages/solvers/src/entropyCoded/rootMeanSquare.ts';
import { stepProblem } from '../packages/solvers/src/entropyCoded/stepProblem.ts';
import { watersic } from '../packages/solvers/src/entropyCoded/watersic.ts';
import { gptq } from '../packages/solvers/src/index.ts';
import { sampleRows } from '../packages/solvers/src/sampleRows.ts';
import { describeMachine } from './machine.ts';

const [inFeatures = 2048, outFeatures = 8192] = process.argv.slice(2).map(Number);
const [LIMIT, BITS] = [1.5, 3];

await chooseEngine({ threads: 1 });
const weight = { rows: outFeatures, columns: inFeatures, data: new Float32Array(outFeatures * inFeatures) };
fill(weight, 1);
const activations = { rows: inFeatures, columns: inFeatures, data: new Float64Array(inFeatures * inFeatures) };
fill(activations, 2);
const inputGram = { rows: inFeatures, columns: inFeatures, data: new Float64Array(inFeatures * inFeatures) };
await addGram(inputGram, activations);
const statistics = { inputGram, tokenCount: inFeatures, meanAbsolute: new Float64Array(inFeatures) };

const step = rootMeanSquare(weight) * 2 ** (2.05 - BITS);
const pass = async (rows: Matrix<Float32Array>): Promise<void> => {
  const { blocks, steps } = await stepProblem(statistics, 0.01);
  await quantizeOnSteps(rows, { blocks, steps: steps.map(own => own * step), bits: 8, deadZone: 0.05 });
};
const factorMs = await best(2, () => stepProblem(statistics, 0.01));
const gptqMs = await best(2, () => gptq(weight, statistics, { bits: 4, groupSize: 32, actOrder: false }));
const passMs = await best(2, () => pass(weight));
const sampleMs = (await best(3, () => pass(sampleRows(weight, 256)))) - factorMs;
const wholeMs = await best(1, () => watersic([{ weight, options: { bits: BITS } }], statistics));
const round = (value: number): number => Number(value.toFixed(3));
const times = { factorMs, gptqMs, passMs, sampleMs, wholeMs };
console.log(
  JSON.stringify(
    {
      machine: describeMachine(),
      inFeatures,
      outFeatures,
      ...Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, Math.round(ms)])),
      passRatio: round(passMs / gptqMs),
      limit: LIMIT,
      holds: passMs / gptqMs <= LIMIT,
      samplePass: round(sampleMs / (passMs - factorMs)),
      wholeRatio: round(wholeMs / gptqMs),
    },
    null,
    2,
  ),
);

async function best(repetitions: number, run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const { user, system } = process.cpuUsage();
    await run();
    const used = process.cpuUsage({ user, system });
    least = Math.min(least, (used.user + used.system) / 1000);
  }
  return least;
}

/** Values of about a normal distribution, the same in every run. */
function fill(matrix: Matrix<Float32Array> | Matrix<Float64Array>, seed: number): void {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let at = 0; at < matrix.data.length; at++) matrix.data[at] = uniform() + uniform() + uniform();
}
