/**
 * What share of scoring is tokenising, and how much of it does a thread beside it hide? Processor time of both on one thread: cutting a text
 * into windows, and scoring the first of them. Then the time on the clock of the whole text, first cut and then scored, and both at once: from
 * opening the tokenizer and the model on, the best of a few rounds in turn. A text that repeats itself would be tokenised from a cache.
 *
 * node benchmarks/tokenizerSpeed.ts [checkpoint folder] [--data stories] [--windows 40]
 *   [--threads 1] [--rounds 2] [--device cpu]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cutWindows, joinParts, loadTextSet, loadTokenizer, startCutting } from '../packages/calibration/src/index.ts';
import { scoreWindows } from '../packages/evaluator/src/index.ts';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import { findLinearSites } from '../packages/onnx/src/index.ts';
import type { Device } from '../packages/runtime/src/index.ts';
import { describeMachine } from './machine.ts';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'stories' },
    windows: { type: 'string', default: '40' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
  },
});
const folder = positionals[0] ?? join(root, 'models', 'demo');
const { model } = await importCheckpoint(folder, { dtype: 'fp32' });
const tokenizer = await loadTokenizer(folder);
const { documents } = await loadTextSet(values.data, 'calibration', join(root, 'calib-data'));
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

const scoreOptions = { device: values.device as Device, threads: Number(values.threads) };
const times = { apart: Number.POSITIVE_INFINITY, together: Number.POSITIVE_INFINITY };
let [tokenCount, sums] = [0, [0, 0]];
for (let round = 0; round < Number(values.rounds); round++) {
  const begun = performance.now();
  const whole = cutWindows(documents, await loadTokenizer(folder), options);
  const apart = await scoreWindows(model, whole.windows, scoreOptions);
  const between = performance.now();
  const parts = startCutting({ documents, tokenizerFolder: folder, options });
  const together = await scoreWindows(model, parts(), scoreOptions);
  const received = [];
  for await (const part of parts()) received.push(part);
  joinParts(received);
  const ended = performance.now();
  times.apart = Math.min(times.apart, between - begun);
  times.together = Math.min(times.together, ended - between);
  tokenCount = 256 * whole.windows.length;
  sums = [apart, together].map(({ nll }) => nll.reduce((sum, loss) => sum + loss, 0));
}
const perToken = (milliseconds: number): string => `${((1000 * milliseconds) / tokenCount).toPrecision(3)} µs a token`;
console.log(
  `${tokenCount} tokens, ${values.threads} scoring threads on ${values.device}: cut, then scored ${perToken(times.apart)}; at once ` +
    `${perToken(times.together)}: ${(times.apart / times.together).toFixed(2)}x; ${sums[0] === sums[1] ? 'the same losses' : 'OTHER LOSSES'}`,
);

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
