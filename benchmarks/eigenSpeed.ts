/**
 * How long do all eigenvalues and eigenvectors of a symmetric matrix take, where does the time go, and how near is that to
 * the products that cannot be avoided? A dense random matrix, where little deflates. The limit for n = 2048 is 4 s in float64
 * without OpenBLAS, and 1 s in float32 with it, which then runs in float32 throughout. `shareOfGemm` is the time of 7 n^3 / 3 multiply-adds at the rate of a product of n x n matrices here,
 * divided by the time of float64. `split` is of our own steps, in float64. `svdMs`, `qrMs` and `polarMs` are for a random matrix of the same size, single runs.
 * Usage: node benchmarks/eigenSpeed.ts [n] [threads] [off | auto | path of OpenBLAS] [repetitions]
 */
import { loadavg } from 'node:os';
import { tridiagonalEigen } from '../packages/linalg/src/factorization/tridiagonalEigen.ts';
import { tridiagonalize } from '../packages/linalg/src/factorization/tridiagonalize.ts';
import { turnBack } from '../packages/linalg/src/factorization/turnBack.ts';
import { chooseEngine, gemm, type Matrix, polarFactor, qr, svd, symmetricEigen } from '../packages/linalg/src/index.ts';
import { describeMachine, median } from './machine.ts';

const [size, threadCount, openBlas = 'auto', rounds] = process.argv.slice(2);
const n = Number(size ?? 2048);
const repetitions = Number(rounds ?? 5);

const engine = await chooseEngine({ threads: Number(threadCount ?? 2), openBlas });
const square = randomSquare();
const matrix = symmetricPart(square);

const split = { tridiagonalizeMs: Infinity, divideMs: Infinity, turnBackMs: Infinity };
for (let repetition = 0; repetition < repetitions; repetition++) {
  const { result: tridiagonal, ms: tridiagonalizeMs } = await timed(() => tridiagonalize(matrix));
  const { diagonal, offDiagonal, panels } = tridiagonal;
  const { result: found, ms: divideMs } = await timed(() => tridiagonalEigen(diagonal, offDiagonal));
  const { ms: turnBackMs } = await timed(() => turnBack(panels, found.vectors));
  split.tridiagonalizeMs = Math.min(split.tridiagonalizeMs, tridiagonalizeMs);
  split.divideMs = Math.min(split.divideMs, divideMs);
  split.turnBackMs = Math.min(split.turnBackMs, turnBackMs);
}
const float64Times = await times(() => symmetricEigen(matrix));
const float32 = { ...matrix, data: Float32Array.from(matrix.data) };
const float32Times = await times(() => symmetricEigen(float32));
const gemmMs = Math.min(...(await times(() => gemm(matrix, matrix))));
const judged = engine.openBlas === null ? float64Times : float32Times;
const limitMs = (engine.openBlas === null ? 4000 : 1000) * (n / 2048) ** 3;
const qrMs = (await timed(() => qr(square))).ms;
const svdMs = (await timed(() => svd(square))).ms;
const polarMs = (await timed(() => polarFactor(square))).ms;

console.log(
  JSON.stringify(
    {
      machine: describeMachine(),
      engine,
      n,
      load: loadavg()[0],
      float64: { ...summarize(float64Times), ...(await measureAccuracy(matrix)) },
      float32: { ...summarize(float32Times), ...(await measureAccuracy(float32)) },
      limitMs: Math.round(limitMs),
      holds: median(judged) < limitMs,
      split: Object.fromEntries(Object.entries(split).map(([name, ms]) => [name, Math.round(ms)])),
      gemmGflops: Number(((2 * n ** 3) / gemmMs / 1e6).toFixed(1)),
      shareOfGemm: Number((((7 / 3) * gemmMs) / Math.min(...float64Times)).toFixed(2)),
      qrMs: Math.round(qrMs),
      svdMs: Math.round(svdMs),
      polarMs: Math.round(polarMs),
    },
    null,
    2,
  ),
);

async function measureAccuracy(given: Matrix): Promise<{ residual: number; orthogonality: number }> {
  const inFloat64 = (each: Matrix): Matrix<Float64Array> => ({ ...each, data: Float64Array.from(each.data) });
  const found = await symmetricEigen(given);
  const { values, vectors } = { ...found, vectors: inFloat64(found.vectors) };
  const inner = await gemm(vectors, vectors, { transposeB: true });
  const image = await gemm(vectors, inFloat64(given));
  const norm = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  let [residual, orthogonality] = [0, 0];
  for (let index = 0; index < n * n; index++) {
    const expected = values[Math.floor(index / n)]! * vectors.data[index]!;
    residual = Math.max(residual, Math.abs(image.data[index]! - expected) / norm);
    orthogonality = Math.max(orthogonality, Math.abs(inner.data[index]! - Number(index % (n + 1) === 0)));
  }
  return { residual, orthogonality };
}

function randomSquare(): Matrix<Float64Array> {
  let state = 2891336454;
  const data = Float64Array.from({ length: n * n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows: n, columns: n, data };
}

function symmetricPart({ data }: Matrix<Float64Array>): Matrix<Float64Array> {
  return { rows: n, columns: n, data: data.map((value, at) => (value + data[(at % n) * n + Math.floor(at / n)]!) / 2) };
}

async function times(run: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) all.push((await timed(run)).ms);
  return all;
}

function summarize(all: readonly number[]): { medianMs: number; bestMs: number } {
  return { medianMs: Math.round(median(all)), bestMs: Math.round(Math.min(...all)) };
}

async function timed<Result>(run: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const started = performance.now();
  const result = await run();
  return { result, ms: performance.now() - started };
}
