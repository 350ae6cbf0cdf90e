/** What `supervise` starts: a command line whose life hangs on the process that started it. */
import { Worker } from 'node:worker_threads';
import { obeySupervisor } from './interrupts.ts';
import { work } from './work.ts';

obeySupervisor();
const watch = new Worker(new URL('./watchSupervisor.ts', import.meta.url), { workerData: process.ppid });
watch.unref();
process.exitCode = await work(process.argv);
