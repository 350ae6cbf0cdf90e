import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import { createWeightStore, findLinearSites, serializeModel } from '../packages/onnx/src/index.ts';
import { resolveRecipe } from '../packages/pipeline/src/recipe.ts';
import { compressEmbeddings } from '../packages/pipeline/src/solve/compressEmbeddings.ts';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { demo } from './runQuern.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-embeddings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([[true], [false]])('stores the same bytes in slices as in one piece, head tied: %s', async tied => {
  const shape = { ...shapes.wide2048!, tied, blockCount: 1, hiddenSize: 64, intermediateSize: 64, headCount: 1 };
  const checkpoint = join(folder, `model-${tied}`);
  const sizes = { keyValueHeadCount: 1, headSize: 64, vocabularySize: 4096 };
  await writeSyntheticCheckpoint(checkpoint, { ...shape, ...sizes }, demo);
  const written = async (name: string, sliceBytes?: number) => {
    const { model } = await importCheckpoint(checkpoint, { dtype: 'fp32' });
    const heads = new Set(findLinearSites(model).map(site => site.name));
    const store = createWeightStore({ folder: join(folder, `${name}-${tied}`), fileName: 'data' });
    const choice = { isExcluded: () => false, heads, ...(sliceBytes === undefined ? {} : { sliceBytes }) };
    const reports = await compressEmbeddings(model, resolveRecipe({ headBits: 8 }), store, choice);
    const [file] = await store.close();
    const hash = async (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    return { reports, graph: await hash(serializeModel(model)), data: await hash(await readFile(file!.path)) };
  };
  const whole = await written('whole');
  expect(whole.reports.map(report => report.tied)).toEqual(tied ? [true] : [false, false]);
  expect(await written('slices', 4 * 64 * 1000)).toEqual(whole);
});
