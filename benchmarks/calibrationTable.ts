/**
 * What calibration text does: one method, calibrated on general, code, mixed and self-written text, scored on three kinds of text.
 *
 * `node benchmarks/calibrationTable.ts [model] [--method gptq] [--bits 2,3,4] [--group-size 32] [--windows 128] [--data stories,prose,code]`
 * Every row is a folder that was written and then read back, as shipped. Cells are nats a token more than the original, paired by
 * window. The second table has the same files less the first calibration's of the same bits: also paired, so its errors are those of
 * the difference.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compress, evaluateModel, resolveRecipe } from '@quern/pipeline';
import { describeMachine, scratchFolder } from './machine.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    method: { type: 'string', default: 'gptq' },
    bits: { type: 'string', default: '2,3,4' },
    'group-size': { type: 'string', default: '32' },
    windows: { type: 'string', default: '128' },
    calibrations: { type: 'string', default: 'general,code,mixed,self' },
    data: { type: 'string', default: 'stories,prose,code' },
  },
});
const model = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const texts = values.data.split(',');
const calibrations = values.calibrations.split(',');
const out = scratchFolder('calibration-table');
const groupSize = Number(values['group-size']);

console.log(
  `${describeMachine()}; ${basename(model)}, ${values.method}, groups of ${groupSize}, nats/token (paired)\n`,
);
const widths = values.bits.split(',').map(Number);
const rows: (readonly string[])[] = [];
for (const bits of widths) {
  for (const calibration of calibrations) {
    const { stored, windows } = await make(bits, calibration);
    const cells = await score(folderOf(bits, calibration), model);
    rows.push([`${values.method}:${bits}`, `${calibration} (${windows})`, stored, ...cells]);
  }
}
printTable(['method', 'calibration (windows)', 'stored bits', ...texts.map(text => `on ${text}`)], rows);
const [first = '', ...others] = calibrations;
const differences: (readonly string[])[] = [];
for (const bits of widths) {
  for (const calibration of others) {
    const cells = await score(folderOf(bits, calibration), folderOf(bits, first));
    differences.push([`${values.method}:${bits}`, `${calibration} less ${first}`, ...cells]);
  }
}
console.log('');
printTable(['method', 'difference', ...texts.map(text => `on ${text}`)], differences);
await rm(out, { recursive: true, force: true });

function folderOf(bits: number, calibration: string): string {
  return join(out, `${bits}-${basename(calibration)}`);
}

async function make(bits: number, calibration: string): Promise<{ stored: string; windows: number }> {
  const recipe = resolveRecipe({
    method: values.method,
    bits,
    groupSize,
    calibration: { data: calibration, windows: Number(values.windows) },
  });
  const { storage, windowsUsed } = await compress(
    {
      model,
      out: folderOf(bits, calibration),
      recipe,
      evaluate: null,
      perDocument: false,
      device: 'cpu',
      force: true,
      resume: false,
    },
    () => undefined,
  );
  return { stored: storage.bitsPerWeight!.toFixed(2), windows: windowsUsed };
}

async function score(folder: string, baseline: string): Promise<string[]> {
  const cells: string[] = [];
  for (const data of texts) {
    const request = { model: folder, baseline, data, perDocument: false, device: 'cpu' } as const;
    const { nllDifference, nllDifferenceStandardError } = (await evaluateModel(request, () => undefined)).baseline!;
    cells.push(
      `${nllDifference >= 0 ? '+' : ''}${nllDifference.toFixed(4)} +- ${nllDifferenceStandardError.toFixed(4)}`,
    );
  }
  return cells;
}

function printTable(header: readonly string[], lines: readonly (readonly string[])[]): void {
  console.log(`| ${header.join(' | ')} |`);
  console.log(`|${header.map(() => '---').join('|')}|`);
  for (const line of lines) console.log(`| ${line.join(' | ')} |`);
}
