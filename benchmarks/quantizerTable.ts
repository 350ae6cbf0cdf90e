/**
 * Round-to-nearest against GPTQ at equal settings, every width: stored bits, perplexity, distance from the original.
 *
 * `node benchmarks/quantizerTable.ts [model] [--data <set|file>] [--calibration <set|file>] [--group-size g]`
 * Every row is a folder that was written and then read back; figures as shipped (accuracy level 4).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compress, evaluateModel, resolveRecipe } from '@quern/pipeline';
import { describeMachine, scratchFolder } from './machine.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'stories' },
    calibration: { type: 'string', default: 'stories' },
    'group-size': { type: 'string', default: '32' },
    bits: { type: 'string', default: '8,6,5,4,3,2' },
    methods: { type: 'string', default: 'rtn,gptq' },
  },
});
const model = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const groupSize = values['group-size'] === 'channel' ? 'channel' : Number(values['group-size']);
const out = scratchFolder('quantizer-table');

console.log(`${describeMachine()}; groups of ${groupSize}, calibration ${values.calibration}`);
console.log(
  '| method | bits | stored bits | relative output error | perplexity | nats/token (paired) | KL, nats | same top token |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const bits of values.bits.split(',').map(Number)) {
  for (const method of values.methods.split(',')) await printRow(method, bits);
}
await rm(out, { recursive: true, force: true });

async function printRow(method: string, bits: number): Promise<void> {
  await rm(out, { recursive: true, force: true });
  const recipe = resolveRecipe({ method, bits, groupSize, calibration: { data: values.calibration } });
  const request = {
    model,
    out,
    recipe,
    evaluate: null,
    perDocument: false,
    device: 'cpu',
    force: true,
    resume: false,
  } as const;
  const { storage, sites } = await compress(request, () => undefined);
  const scored = await evaluateModel(
    { model: out, baseline: model, data: values.data, perDocument: false, device: 'cpu' },
    () => undefined,
  );
  const { perplexity, standardError, baseline } = scored;
  const errors = sites.map(site => site.relativeOutputError);
  const error = errors.includes(null)
    ? '-'
    : (errors.reduce((sum: number, e) => sum + e!, 0) / errors.length).toFixed(4);
  const cells = [
    method,
    bits,
    storage.bitsPerWeight?.toFixed(2),
    error,
    `${perplexity.toFixed(3)} +- ${standardError.toFixed(3)}`,
    `${baseline!.nllDifference.toFixed(4)} +- ${baseline!.nllDifferenceStandardError.toFixed(4)}`,
    baseline!.klDivergence?.toFixed(4),
    `${(100 * baseline!.topAgreement!).toFixed(1)} %`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
