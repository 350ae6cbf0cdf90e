/**
 * How long do all eigenvalues and eigenvectors of a symmetric matrix take, where does the time go, and how near is that to
 * the products that cannot be avoided? A dense random matrix, where little deflates. The limit is 4 s for n = 2048 without
 * OpenBLAS and 1 s with it. `shareOfGemm` is the time of 7 n^3 / 3 multiply-adds at the rate of a product of n x n matrices here,
 * divided by the time taken. `svdMs`, `qrMs` and `polarMs` are for a random matrix of the same size, single runs.
 * Usage: node benchmarks/eigenSpeed.ts [n] [threads] [off | auto | path of OpenBLAS] [repetitions]
 */
import { tridiagonalEigen } from '../packages/linalg/src/factorization/tridiagonalEigen.ts';
import { tridiagonalize } from '../packages/linalg/src/factorization/tridiagonalize.ts';
import { turnBack } from '../packages/linalg/src/factorization/turnBack.ts';
import { chooseEngine, gemm, type Matrix, polarFactor, qr, svd, symmetricEigen } from '../packages/linalg/src/index.ts';
import { describeMachine } from './machine.ts';

const [size, threadCount, openBlas = 'auto', rounds] = process.argv.slice(2);
const n = Number(size ?? 2048);
const repetitions = Number(rounds ?? 3);

const engine = await chooseEngine({ threads: Number(threadCount ?? 2), openBlas });
const limitMs = engine.openBlas === null ? 4000 : 1000;
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
const eigenMs = await best(() => symmetricEigen(matrix));
const float32 = { ...matrix, data: Float32Array.from(matrix.data) };
const float32Ms = await best(() => symmetricEigen(float32));
const gemmMs = await best(() => gemm(matrix, matrix));
const accuracy = await measureAccuracy();
const qrMs = (await timed(() => qr(square))).ms;
const svdMs = (await timed(() => svd(square))).ms;
const polarMs = (await timed(() => polarFactor(square))).ms;

console.log(
  JSON.stringify(
    {
      machine: describeMachine(),
      engine,
      n,
      eigenMs: Math.round(eigenMs),
      float32Ms: Math.round(float32Ms),
      limitMs,
      holds: eigenMs < limitMs * (n / 2048) ** 3,
      float32Holds: float32Ms < limitMs * (n / 2048) ** 3,
      split: Object.fromEntries(Object.entries(split).map(([name, ms]) => [name, Math.round(ms)])),
      gemmGflops: Number(((2 * n ** 3) / gemmMs / 1e6).toFixed(1)),
      shareOfGemm: Number((((7 / 3) * gemmMs) / eigenMs).toFixed(2)),
      ...accuracy,
      qrMs: Math.round(qrMs),
      svdMs: Math.round(svdMs),
      polarMs: Math.round(polarMs),
    },
    null,
    2,
  ),
);

async function measureAccuracy(): Promise<{ residual: number; orthogonality: number }> {
  const { values, vectors } = await symmetricEigen(matrix);
  const inner = await gemm(vectors, vectors, { transposeB: true });
  const image = await gemm(vectors, matrix);
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

async function best(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) least = Math.min(least, (await timed(run)).ms);
  return least;
}

async function timed<Result>(run: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const started = performance.now();
  const result = await run();
  return { result, ms: performance.now() - started };
}
