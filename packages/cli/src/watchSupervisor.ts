/** A thread that ends the process when its supervisor is gone, also while the main thread is deep in a matrix product. */
import { workerData } from 'node:worker_threads';

const POLL_MS = 100;
const cell = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(cell, 0, 0, POLL_MS);
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL');
}
