import { setImmediate } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

/** A worker that dies in the way that the task names as its solver. */
export default async function failInWorker(task: { readonly solver: string }): Promise<unknown> {
  if (task.solver === 'exit') process.exit(3);
  if (task.solver === 'throw') throw new Error('thrown through');
  if (task.solver === 'throwLater') {
    setImmediate(() => {
      throw new Error('outside of every promise');
    });
    return new Promise(() => undefined);
  }
  if (task.solver === 'wait') await sleep(500);
  if (task.solver === 'fillHeap') {
    const kept: number[][] = [];
    for (;;) kept.push(new Array(1000).fill(kept.length + 0.5));
  }
  return { result: task.solver };
}
