import { join } from 'node:path';
import { hubSettings } from '@quern/calibration';
import type { Emit } from '../events.ts';
import { openResultStore, type ResultStore } from '../solve/resultStore.ts';

/** Where measurements of models are kept from run to run. */
export function measurementFolder(): string {
  return join(hubSettings().cacheFolder, 'sensitivities');
}

/**
 * A store that keeps measurements in the run's folder and in the user's cache: the next budget on the same model starts from them,
 * wherever its result goes. Without a run, the cache alone. A cache that cannot be written is told of once, and the run goes on with its own folder.
 */
export async function measurementStore(own: ResultStore | null, emit: Emit): Promise<ResultStore> {
  const folder = measurementFolder();
  let told = false;
  const tell = (error: unknown): null => {
    const message = `Measurements cannot be kept for later budgets in ${folder}: ${(error as Error).message}. QUERN_CACHE names another folder.`;
    if (!told) emit({ kind: 'warning', message });
    told = true;
    return null;
  };
  const cache = await openResultStore(folder).catch(tell);
  return {
    async load<Result>(key: string) {
      return (await own?.load<Result>(key)) ?? (await cache?.load<Result>(key)) ?? null;
    },
    async save(key, result) {
      await own?.save(key, result);
      await cache?.save(key, result).catch(tell);
    },
    count: async () => (await (own ?? cache)?.count()) ?? 0,
  };
}
