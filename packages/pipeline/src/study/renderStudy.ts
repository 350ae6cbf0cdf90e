import type { Study, StudyCell } from './studyResult.ts';
import type { CellTest, PairTest } from './testStudy.ts';

export const STUDY_FIGURE_FILE = 'study.svg';

/** Below this a difference counts as one. */
const LIMIT = 0.05;

/**
 * A study as Markdown: what it was made of, the loss of every cell, and which calibration helps where. The same study gives the same
 * bytes.
 */
export function renderStudy(study: Study): string {
  const figure = `![Loss against stored bits](${STUDY_FIGURE_FILE})`;
  const sections = [heading(study), figure, cellSection(study), calibrationSection(study), notes(study)];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

function heading({ model, calibrations, texts, tasks, original, recipe }: Study): string {
  const perplexities = texts.map(({ data, tokenCounts, windowLength }, index) => {
    const tokens = sum(tokenCounts);
    const perplexity = Math.exp(sum(original.texts[index]!) / tokens);
    return `${data} ${perplexity.toFixed(2)} (${tokens} tokens, windows of ${windowLength})`;
  });
  const shares = tasks.map(
    ({ task, measure, itemCount }, index) =>
      `${task} ${percent(sum(original.tasks[index]!) / itemCount)} ${measure} (${itemCount} items)`,
  );
  const calibrated = calibrations.map(({ data }) => data).join(', ');
  const first = calibrations[0];
  return [
    `# Calibration and width: ${model.path}`,
    '',
    `- Original, perplexity: ${perplexities.join('; ')}.`,
    ...(shares.length > 0 ? [`- Original, right answers: ${shares.join('; ')}.`] : []),
    ...(first
      ? [
          `- Calibration: ${calibrated}; ${first.windows} windows of ${first.windowLength} tokens each. Seed ${recipe.seed}.`,
        ]
      : []),
    `- Every cell is a file that was written and read back. _stored_: bits per weight, with everything. Nats a token more than the original ± standard error over windows;`,
    `  * differs from the original at q < ${LIMIT} (paired bootstrap; Benjamini-Hochberg over all cells and texts).`,
    ...(shares.length > 0
      ? [
          `  Tasks: points of right answers more than the original; * by McNemar's exact test, adjusted in the same way.`,
        ]
      : []),
  ].join('\n');
}

function cellSection(study: Study): string {
  const { cells, texts, tasks, tests } = study;
  const header = [
    'method',
    'bits',
    'calibration',
    'stored',
    ...texts.map(({ data }) => data),
    ...tasks.map(({ task }) => task),
  ];
  const rows = cells.map((cell, index) => {
    const figures = cell.scores
      ? [
          ...texts.map((_, measure) => lossOf(testAt(tests.texts, index, measure))),
          ...tasks.map((_, measure) => shareOf(testAt(tests.tasks, index, measure))),
        ]
      : [...texts, ...tasks].map(() => 'failed');
    return [
      cell.method,
      String(cell.bits),
      cell.calibration ?? '-',
      cell.scores ? cell.bitsPerWeight.toFixed(2) : '-',
      ...figures,
    ];
  });
  return `## Every cell\n\n${markdownTable(header, rows)}`;
}

function calibrationSection(study: Study): string {
  const { cells, texts, tests } = study;
  if (tests.pairs.length === 0) return '';
  const settings = [...new Set(cells.filter(({ calibration }) => calibration !== null).map(settingOf))];
  const rows = settings.map(setting => {
    const members = cells.flatMap((cell, index) => (settingOf(cell) === setting && cell.scores ? [index] : []));
    const [{ method, bits }] = [cells.find(cell => settingOf(cell) === setting)!];
    return [method, String(bits), ...texts.map((_, measure) => bestOf(study, members, measure))];
  });
  return [
    '## Which calibration helps where',
    '',
    `The best first, then those that cannot be told from it (q >= ${LIMIT}; paired bootstrap, Benjamini-Hochberg over all ${tests.pairs.length} pairs); in`,
    'brackets what the worst loses to the best, nats a token.',
    '',
    markdownTable(['method', 'bits', ...texts.map(({ data }) => data)], rows),
  ].join('\n');
}

function bestOf({ cells, tests }: Study, members: readonly number[], measure: number): string {
  if (members.length === 0) return '-';
  const lossAt = (index: number): number => testAt(tests.texts, index, measure).difference;
  const [best, ...others] = members.toSorted((left, right) => lossAt(left) - lossAt(right));
  const equals = others.filter(other => pairAt(tests.pairs, best!, other, measure).qValue >= LIMIT);
  const names = [best!, ...equals].map(index => cells[index]!.calibration);
  const spread = lossAt(others.at(-1) ?? best!) - lossAt(best!);
  const all = equals.length === others.length && others.length > 0;
  return `${
    all
      ? `no difference: ${names.join(', ')}`
      : `**${names[0]}**${names
          .slice(1)
          .map(name => `, ${name}`)
          .join('')}`
  } (${spread.toFixed(4)})`;
}

function notes({ cells, unavailable }: Study): string {
  const failed = cells.filter(({ failure }) => failure !== null);
  return [
    ...unavailable.map(({ method, bits, reason }) => `- ${method} at ${bits} bits is left out: ${reason}`),
    ...failed.map(
      ({ method, bits, calibration, failure }) => `- ${method}:${bits} on ${calibration} failed: ${failure}`,
    ),
  ].join('\n');
}

function settingOf({ method, bits }: StudyCell): string {
  return `${method}:${bits}`;
}

function testAt(tests: readonly CellTest[], cell: number, measure: number): CellTest {
  return tests.find(test => test.cell === cell && test.measure === measure)!;
}

function pairAt(tests: readonly PairTest[], one: number, other: number, measure: number): PairTest {
  const [first, second] = one < other ? [one, other] : [other, one];
  return tests.find(test => test.cell === first && test.other === second && test.measure === measure)!;
}

function lossOf({ difference, standardError, qValue }: CellTest): string {
  return `${signed(difference, 4)} ± ${standardError.toFixed(4)}${qValue < LIMIT ? ' *' : ''}`;
}

function shareOf({ difference, standardError, qValue }: CellTest): string {
  return `${signed(100 * difference, 1)} ± ${(100 * standardError).toFixed(1)}${qValue < LIMIT ? ' *' : ''}`;
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
