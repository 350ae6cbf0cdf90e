/**
 * When do rotations help? Methods, widths and groups, with the model as it is and with random rotations folded into its weights.
 *
 * `node benchmarks/rotationTable.ts [model] [--rows rtn:2,gptq:2,awq:2,gptq:3:channel,watersic:2] [--data <set|file>] [--calibration <set|file>] [--windows 64]`
 * Every row is two folders that were written and then read back, as shipped. "more bytes" is what rotation adds to all files: a matrix before
 * a tied head, 8 bits. The last column compares the two on the same tokens: below 0 rotation wins.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compress, evaluateModel, parseMethod, resolveRecipe } from '@quern/pipeline';
import { describeMachine, scratchFolder } from './machine.ts';

const ROWS =
  'rtn:2,rtn:3,rtn:4,rtn:4:channel,awq:2,awq:3,awq:4,gptq:2,gptq:3,gptq:4,gptq:3:channel,gptq:4:channel,watersic:2,watersic:3';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: ROWS },
    data: { type: 'string', default: 'stories' },
    calibration: { type: 'string', default: 'stories' },
    windows: { type: 'string', default: '64' },
    seed: { type: 'string', default: '0' },
  },
});
const model = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const out = scratchFolder('rotation-table');

console.log(`${describeMachine()}; ${basename(model)}, nats/token (paired), scored on ${basename(values.data)}\n`);
console.log('| method | stored bits | as it is | KL | rotated | KL | more bytes | rotated less as it is |');
console.log('|---|---|---|---|---|---|---|---|');
for (const row of values.rows.split(',')) {
  const plain = await make(row, false);
  const rotated = await make(row, true);
  const before = await score(plain.folder, model);
  const after = await score(rotated.folder, model);
  const difference = await score(rotated.folder, plain.folder);
  const more = (rotated.bytes - plain.bytes).toLocaleString('en');
  const cells = [row, plain.bits, before.nats, before.kl, after.nats, after.kl, more, difference.nats];
  console.log(`| ${cells.join(' | ')} |`);
}
await rm(out, { recursive: true, force: true });

async function make(row: string, rotate: boolean): Promise<{ folder: string; bits: string; bytes: number }> {
  const folder = join(out, rotate ? 'rotated' : 'plain');
  const { data, windows, seed } = { ...values, data: values.calibration };
  const calibration = { data, windows: Number(windows) };
  const recipe = resolveRecipe({ ...parseMethod(row), rotate, seed: Number(seed), calibration });
  const paths = { model, out: folder, recipe, evaluate: null, perDocument: false } as const;
  const { storage } = await compress({ ...paths, device: 'cpu', force: true, resume: false }, () => undefined);
  return { folder, bits: storage.bitsPerWeight!.toFixed(2), bytes: storage.compressedBytes };
}

async function score(folder: string, baseline: string): Promise<{ nats: string; kl: string }> {
  const request = { model: folder, baseline, data: values.data, perDocument: false, device: 'cpu' } as const;
  const { nllDifference, nllDifferenceStandardError, klDivergence } = (await evaluateModel(request, () => undefined))
    .baseline!;
  const sign = nllDifference >= 0 ? '+' : '';
  return {
    nats: `${sign}${nllDifference.toFixed(4)} +- ${nllDifferenceStandardError.toFixed(4)}`,
    kl: klDivergence?.toFixed(4) ?? '-',
  };
}
