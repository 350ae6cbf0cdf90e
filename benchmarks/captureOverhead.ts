/**
 * What does capturing statistics cost beyond a plain forward pass, against what its multiply-adds predict?
 *
 * Predicted overhead = GEMM work of the Grams (tokens x inputs^2 per captured input) / GEMM work of the block's linear layers.
 * `node benchmarks/captureOverhead.ts`; target: measured overhead at most 1.5x the predicted one. The two take turns.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import { chooseEngine } from '@quern/linalg';
import { extractSubmodel, findBlockCuts, findLinearSites } from '@quern/onnx';
import { captureStatistics, openForward } from '@quern/runtime';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, median, scratchFolder } from './machine.ts';

const ROUNDS = 7;
const WINDOWS = 8;
const WINDOW_LENGTH = 256;

// As the pipeline does: Grams are summed on all cores.
await chooseEngine({ threads: availableParallelism() });

const root = join(import.meta.dirname, '..');
const checkpoint = scratchFolder('350m');
if (!existsSync(join(checkpoint, 'config.json'))) {
  await writeSyntheticCheckpoint(checkpoint, shapes['350m']!, join(root, 'models', 'demo'));
}
const { model } = await importCheckpoint(checkpoint, { dtype: 'fp32' });
const [first] = findBlockCuts(model)!;
const sites = findLinearSites(model).filter(site => site.block === first!.block);
const widths = new Map(sites.map(site => [site.inputName, site.inFeatures]));
const ids = Array.from({ length: WINDOWS }, (_, window) =>
  Int32Array.from({ length: WINDOW_LENGTH }, (_, index) => (7919 * (index + window) + 13) % 4096),
);
const input = { kind: 'text', ids } as const;
const plainOutputs = first!.outputNames;
const captureOutputs = [...plainOutputs, ...widths.keys()];
const plain = await openForward(extractSubmodel(model, [], plainOutputs), { device: 'cpu' });
const capturing = await openForward(extractSubmodel(model, [], captureOutputs), { device: 'cpu' });
const statistics = captureStatistics(widths);

const runPlain = (): Promise<number> => timed(async () => void (await plain.run(input, {}, plainOutputs)));
const runCapture = (): Promise<number> =>
  timed(async () => statistics.add(await capturing.run(input, {}, captureOutputs)));
await runPlain();
await runCapture();
const rounds: { plain: number; capture: number }[] = [];
for (let round = 0; round < ROUNDS; round++) rounds.push({ plain: await runPlain(), capture: await runCapture() });

const forwardWork = sites.reduce((sum, site) => sum + site.outFeatures * site.inFeatures, 0);
const gramWork = [...widths.values()].reduce((sum, width) => sum + width * width, 0);
const predicted = gramWork / forwardWork;
const measured = median(rounds.map(({ plain, capture }) => capture / plain)) - 1;
console.log(`${describeMachine()}; one block, hidden 1024, ffn 2816, ${WINDOWS * WINDOW_LENGTH} tokens`);
console.log(
  `plain forward ${median(rounds.map(r => r.plain)).toFixed(0)} ms, with capture ${median(rounds.map(r => r.capture)).toFixed(0)} ms`,
);
console.log(`overhead      ${measured.toFixed(2)} of the forward pass; multiply-adds predict ${predicted.toFixed(2)}`);
console.log(`ratio         ${(measured / predicted).toFixed(2)} (target at most 1.5)`);

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
