/**
 * Takes the items in order, as many at a time as there are workers. After an error nothing new begins, and what runs has ended when
 * the error is thrown: nothing may happen behind the back of whoever handles it.
 */
export async function shareOut<Item>(
  items: readonly Item[],
  workers: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const drain = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  const stopOthers = (error: unknown): never => {
    queue.length = 0;
    throw error;
  };
  const drains = Array.from({ length: Math.min(workers, items.length) }, () => drain().catch(stopOthers));
  const failed = (await Promise.allSettled(drains)).find(outcome => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
