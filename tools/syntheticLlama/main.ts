/** Writes a Llama checkpoint of a real shape with made-up weights: `node tools/syntheticLlama/main.ts 350m out/350m`. */
import { join } from 'node:path';
import { shapes, writeSyntheticLlama } from './writeSyntheticLlama.ts';

const [name, folder] = process.argv.slice(2);
const shape = name === undefined ? undefined : shapes[name];
if (!shape || folder === undefined) {
  console.error(`usage: main.ts <${Object.keys(shapes).join('|')}> <folder>`);
  process.exit(2);
}
const started = performance.now();
await writeSyntheticLlama(folder, shape, join(import.meta.dirname, '..', '..', 'models', 'demo'));
console.log(`${name} in ${folder}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
