/**
 * Folders that `quern compare` wrote, as one Markdown table: a row for each method and way of spreading the ratio, for each ratio the mean
 * relative output error, the perplexity, and what is lost beyond `dictionary` at that ratio, paired by document, nats a token.
 *
 * `node benchmarks/dictionaryTable.ts <folder of compare> ...`
 * All must be of one model, calibration and evaluation text; the first that has `dictionary` is what the others are measured against.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Comparison, type ComparisonRow, parseMethod, type Recipe } from '../packages/pipeline/src/index.ts';
import { allocationOf } from '../packages/pipeline/src/solve/sitePlan.ts';

const comparisons = await Promise.all(
  process.argv
    .slice(2)
    .map(async folder => JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as Comparison),
);
const materials = new Set(
  comparisons.map(({ model, calibration, evaluation }) => JSON.stringify({ model, calibration, evaluation })),
);
if (materials.size !== 1) throw new Error(`folders of ${materials.size} models or texts, expected 1`);

const entries = comparisons.flatMap(({ rows, settings }) => rows.map(row => ({ row, name: nameOf(row, settings) })));
const shipped = comparisons.find(({ rows }) => rows.some(({ method }) => method === 'dictionary'));
const references = new Map(
  shipped?.rows.flatMap(row => (row.method === 'dictionary' ? [[row.ratio, row] as const] : [])),
);

const ratios = [...new Set(entries.map(({ row }) => row.ratio!))].sort((a, b) => a - b);
const { original, evaluation, calibration } = comparisons[0]!;
console.log(
  `Perplexity before ${original.perplexity?.toFixed(2)} (${evaluation?.data}, ${evaluation?.tokenCount} tokens), ${calibration?.windows} windows of ${calibration?.data}\n`,
);
console.log(`| method, how the ratio is spread | ${ratios.map(ratio => `${100 * ratio} %`).join(' | ')} |`);
console.log(`|---|${'---|'.repeat(ratios.length)}`);
for (const [name, own] of Map.groupBy(entries, entry => entry.name)) {
  const cells = ratios.map(ratio => cell(own.find(({ row }) => row.ratio === ratio)?.row));
  console.log(`| ${[name, ...cells].join(' | ')} |`);
}

function nameOf({ method, ratio }: ComparisonRow, settings: Comparison['settings']): string {
  const plan = { site: null as never, solver: parseMethod(method).method!, options: { ratio: ratio! } };
  return `${method}, ${allocationOf(plan, settings as Pick<Recipe, 'allocation'>)}`;
}

function cell(row: ComparisonRow | undefined): string {
  if (row === undefined) return '-';
  if (row.failure !== null) return 'failed';
  const reference = references.get(row.ratio);
  const error = row.relativeOutputError?.toFixed(4) ?? '-';
  const figures = `${error}, ${row.perplexity?.toFixed(2) ?? '-'}`;
  if (row === reference || !row.scores || !reference?.scores) return figures;
  const { mean, standardError } = pairedDifference(row.scores.documents, reference.scores.documents);
  return `${figures}, ${mean < 0 ? '-' : '+'}${Math.abs(mean).toFixed(3)} ± ${standardError.toFixed(3)}`;
}

type Documents = NonNullable<ComparisonRow['scores']>['documents'];

/** Mean over tokens of what the first loses more, its standard error over documents. */
function pairedDifference(own: Documents, other: Documents): { mean: number; standardError: number } {
  const tokens = own.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const differences = own.map(({ tokenCount, after }, index) => tokenCount * (after - other[index]!.after));
  const mean = differences.reduce((sum, value) => sum + value, 0) / tokens;
  const squares = differences.reduce((sum, value, index) => sum + (value - own[index]!.tokenCount * mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares) / tokens };
}
