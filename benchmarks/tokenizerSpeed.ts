/**
 * What share of scoring is tokenising, which does not run beside it? Processor time of both on one thread: cutting a text into windows, and
 * scoring the first of them.
 *
 * node benchmarks/tokenizerSpeed.ts [checkpoint folder] [--data calib-data/stories/calibration.txt] [--windows 40]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cutWindows, loadTokenizer } from '../packages/calibration/src/index.ts';
import { scoreWindows } from '../packages/evaluator/src/index.ts';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import { findLinearSites } from '../packages/onnx/src/index.ts';
import { describeMachine } from './machine.ts';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: join(root, 'calib-data', 'stories', 'calibration.txt') },
    windows: { type: 'string', default: '40' },
  },
});
const folder = positionals[0] ?? join(root, 'models', 'demo');
const { model } = await importCheckpoint(folder, { dtype: 'fp32' });
const tokenizer = await loadTokenizer(folder);
const documents = (await readFile(values.data, 'utf8')).split('<|endoftext|>');
const options = { bosTokenId: null, windowLength: 256, stride: 256, perDocument: false };
// What is compiled on the way is not counted.
cutWindows(documents.slice(0, 10), tokenizer, options);

const begun = processorSeconds();
const { windows } = cutWindows(documents, tokenizer, options);
const tokenizing = (processorSeconds() - begun) / (256 * windows.length);
const scored = windows.slice(0, Number(values.windows));
const before = processorSeconds();
await scoreWindows(model, scored, { device: 'cpu', threads: 1 });
const scoring = (processorSeconds() - before) / (256 * scored.length);

const multiplyAdds = findLinearSites(model).reduce((sum, site) => sum + site.inFeatures * site.outFeatures, 0);
const micro = (seconds: number): string => `${(1e6 * seconds).toPrecision(3)} µs a token`;
console.log(describeMachine());
console.log(
  `tokenising ${micro(tokenizing)}, scoring ${micro(scoring)}: ${((100 * tokenizing) / scoring).toFixed(1)} %`,
);
const enough = (50 * tokenizing * multiplyAdds) / scoring;
console.log(
  `${(multiplyAdds / 1e6).toFixed(1)} M multiply-adds a token; at the same rate 2 % from ${(enough / 1e6).toFixed(0)} M on`,
);

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
