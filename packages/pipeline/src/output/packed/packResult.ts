import { basename } from 'node:path';
import type { CompressRun } from '../../run.ts';
import type { WrittenResult } from '../writeResult.ts';
import { measureSites } from './measureSites.ts';
import { packedName } from './packedName.ts';
import { packGraph } from './packGraph.ts';

/**
 * Packs what was written where the recipe asks for it, and measures every site in the packed file. Do it last: what is measured
 * by running the graph needs the data files, and their bytes are those that come back.
 *
 * Errors: those of `packGraph`.
 */
export async function packResult(run: CompressRun, written: WrittenResult): Promise<WrittenResult> {
  if (run.request.recipe.storage !== 'packed') return written;
  run.emit({ kind: 'stage', stage: 'write', detail: basename(packedName(written.graph)) });
  const { path, bytes, sizes } = await packGraph(written.graph, run.signal);
  return {
    ...written,
    dataFiles: [{ path, bytes }],
    containerBytes: written.dataFiles.reduce((sum, file) => sum + file.bytes, 0),
    sites: measureSites(written.sites, sizes),
  };
}
