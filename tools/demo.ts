/**
 * The main job on the embedded model: compress models/demo at several widths, score each written folder, open one of them in
 * transformers.js. Prints the table that stands in the README.
 */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { env, pipeline } from '@huggingface/transformers';
import type { CompressResult } from '@quern/pipeline';

const root = join(import.meta.dirname, '..');
const model = 'models/demo';
const outputs = join(root, 'out', 'demo');
const methods = ['rtn:4', 'gptq:4', 'gptq:2'];
const columns = ['method', 'stored bits', 'stored bytes', 'files', 'perplexity', 'exact', 'nats/token (paired)'];

const rows: string[][] = [];
await rm(outputs, { recursive: true, force: true });
for (const method of methods) {
  const result = await compress(method);
  const { storage, perplexity } = result;
  if (!perplexity) throw new Error(`${method} was not scored`);
  if (rows.length === 0) {
    const bytes = storage.originalBytes.toLocaleString('en');
    rows.push(['original, fp16', '16', '-', bytes, perplexity.before.toFixed(2), perplexity.before.toFixed(2), '0']);
  }
  rows.push([
    method,
    storage.bitsPerWeight!.toFixed(2),
    storage.storedBytes.toLocaleString('en'),
    storage.compressedBytes.toLocaleString('en'),
    `${perplexity.after.toFixed(2)} +- ${perplexity.standardError.toFixed(2)}`,
    perplexity.exact.toFixed(2),
    `${perplexity.nllDifference.toFixed(4)} +- ${perplexity.nllDifferenceStandardError.toFixed(4)}`,
  ]);
}
const lines = [columns, columns.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`);
console.log(`\n${lines.join('\n')}\n`);
await checkReadme(lines);
await tell(join(outputs, 'gptq-4'));

async function compress(method: string): Promise<CompressResult> {
  const out = join(outputs, method.replace(':', '-'));
  const shown = ['compress', model, '--method', method, '--out', `out/demo/${method.replace(':', '-')}`];
  console.log(`quern ${shown.join(' ')}`);
  const main = join(root, 'packages', 'cli', 'src', 'main.js');
  const args = [main, 'compress', join(root, model), '--method', method, '--out', out, '--device', 'cpu', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as CompressResult;
}

/** The table in the README is this output; a difference is worth knowing, on another processor it is expected. */
async function checkReadme(lines: readonly string[]): Promise<void> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const missing = lines.filter(line => !readme.includes(line));
  if (missing.length === 0) console.log('This is the table of the README.');
  else console.log(`${missing.length} lines differ from the README (another processor rounds differently).`);
  await writeFile(join(outputs, 'table.md'), `${lines.join('\n')}\n`);
}

async function tell(folder: string): Promise<void> {
  env.allowRemoteModels = false;
  const generator = await pipeline('text-generation', folder, { device: 'cpu' });
  const output = (await generator('Once upon a time', { max_new_tokens: 48, do_sample: false })) as {
    generated_text: string;
  }[];
  console.log(`\ntransformers.js, out/demo/gptq-4: ${output[0]!.generated_text}`);
  await generator.dispose();
}
