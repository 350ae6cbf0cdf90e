/**
 * Draws the tables of benchmarks/entropyTable.md once more, without running anything.
 *
 * `node benchmarks/redrawRates.ts` writes benchmarks/figures/rates-<model>.svg for each table that begins with `| method | fixed | stored |`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawRates, lineOf } from './drawRates.ts';

/** Each table, by its place in the file: the model's name in the figure's, and what it was scored on. */
const FIGURES = [
  { model: 'demo', data: 'stories' },
  { model: 'tinystories-656k', data: 'tinystories_eval.txt.gz' },
];

const text = await readFile(join(import.meta.dirname, 'entropyTable.md'), 'utf8');
const tables = text.split(/^\| method \| fixed \| stored \|.*\n/m).slice(1);
for (const [index, { model, data }] of FIGURES.entries()) {
  // Up to the first line that is no row; the first row is the rule below the head.
  const rows = tables[index]!.split(/^(?!\|)/m)[0]!
    .trim()
    .split('\n')
    .slice(1);
  const points = rows.map(row => {
    const [name, , stored, , , , divergence] = row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim());
    return { method: lineOf(name!), bits: Number(stored), divergence: Number(divergence) };
  });
  const path = join(import.meta.dirname, 'figures', `rates-${model}.svg`);
  await writeFile(path, drawRates(points, `${model}, scored on ${data}`));
  console.log(`${path}: ${points.length} files`);
}
