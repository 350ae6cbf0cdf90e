import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { InputStatistics } from '../packages/core/src/index.ts';
import type { Matrix } from '../packages/linalg/src/index.ts';
import { findLinearSites, readWeight } from '../packages/onnx/src/index.ts';
import { captureModel, openModel, resolveRecipe } from '../packages/pipeline/src/index.ts';
import { openStatistics } from '../packages/pipeline/src/statistics/openStatistics.ts';
import { STATISTICS_FILE, statisticsManifestSchema } from '../packages/pipeline/src/statistics/statisticsManifest.ts';
import { scratchFolder } from './machine.ts';

/** A weight of a decoder block and what its inputs look like in the original model. */
export interface ModelSite {
  readonly name: string;
  readonly block: number;
  /** Sites with the same one read the same input. */
  readonly inputName: string;
  readonly weight: Matrix<Float32Array>;
  readonly statistics: InputStatistics;
}

/** The linear weights of the decoder blocks, with statistics from `windows` windows of a text; what was captured stays for the next run. */
export async function modelSites(model: string, calibration: string, windows: number): Promise<ModelSite[]> {
  const out = scratchFolder(`sites-${basename(model)}-${basename(calibration)}-${windows}`);
  const recipe = resolveRecipe({ calibration: { data: calibration, windows } });
  const run = { evaluate: null, perDocument: false, device: 'cpu', force: false, resume: true } as const;
  await captureModel({ model, out, recipe, ...run }, () => undefined);
  const manifest = statisticsManifestSchema.parse(JSON.parse(await readFile(join(out, STATISTICS_FILE), 'utf8')));
  const { graph, files } = manifest.model;
  const stored = await openStatistics([out], { graph, sources: files.map(({ sha256 }) => sha256) });
  const { model: opened } = await openModel(model, {});
  const sites: ModelSite[] = [];
  for (const site of findLinearSites(opened)) {
    const statistics = site.block === null ? null : await stored.read(site);
    if (statistics) {
      const { name, inputName, block } = site;
      sites.push({ name, block: block!, inputName, weight: await readWeight(opened, site), statistics });
    }
  }
  return sites;
}
