/** A worker thread for workerScaling: products of 1024 x 1024 matrices in float64, as many as it is told. */
import { parentPort } from 'node:worker_threads';
import { chooseEngine, gemm, type Matrix } from '../packages/linalg/src/index.ts';

const size = 1024;
const matrix = (): Matrix<Float64Array> => ({
  rows: size,
  columns: size,
  data: Float64Array.from({ length: size * size }, (_, index) => Math.sin(index)),
});
await chooseEngine({ threads: 1 });
const [a, b, output] = [matrix(), matrix(), matrix()];
parentPort!.on('message', async (count: number) => {
  for (let done = 0; done < count; done++) await gemm(a, b, { output });
  parentPort!.postMessage(count);
});
