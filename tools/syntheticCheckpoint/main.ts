/**
 * Writes a checkpoint of a real shape with made-up weights; `--blocks` writes fewer blocks of the same size.
 *   node tools/syntheticCheckpoint/main.ts llama-3.2-1b out/1b
 *   node tools/syntheticCheckpoint/main.ts llama-3-8b out/8b-2 --blocks 2
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shapes } from './shapes.ts';
import { writeSyntheticCheckpoint } from './writeSyntheticCheckpoint.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { blocks: { type: 'string' } } });
const [name, folder] = positionals;
const shape = name === undefined ? undefined : shapes[name];
const blockCount = Number(values.blocks ?? shape?.blockCount);
if (!shape || folder === undefined || !Number.isInteger(blockCount) || blockCount < 1) {
  console.error(`usage: main.ts <${Object.keys(shapes).join('|')}> <folder> [--blocks n]`);
  process.exit(2);
}
const started = performance.now();
await writeSyntheticCheckpoint(
  folder,
  { ...shape, blockCount },
  join(import.meta.dirname, '..', '..', 'models', 'demo'),
);
console.log(`${name}, ${blockCount} blocks, in ${folder}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
