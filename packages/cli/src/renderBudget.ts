import type { Budget, BudgetFigures, BudgetPlan, BudgetReport, UniformRival } from '@quern/pipeline';
import { formatBytes } from './format.ts';

/** What came of a budget: what was asked, expected and measured, and how often each way was chosen. */
export function renderBudget({ asked, chosen, predicted, measured, corrections, uniform }: BudgetReport): string[] {
  const again = corrections === 0 ? '' : `, ${corrections} ${corrections === 1 ? 'correction' : 'corrections'}`;
  return [
    `budget          ${describeAsked(asked)}${again}`,
    `expected        ${describeFigures(predicted)}`,
    `measured        ${describeFigures(measured)}`,
    ...(uniform ? [`one way for all ${describeRival(uniform)}`] : []),
    `chosen          ${chosen.map(({ way, sites }) => `${sites} x ${way}`).join(', ')}`,
  ];
}

function describeRival({ method, klDivergence, chosenKlDivergence, isKept }: UniformRival): string {
  const mix =
    chosenKlDivergence === null ? 'the mix takes too much' : `the mix by ${chosenKlDivergence.toPrecision(3)}`;
  return `${method} diverges by ${klDivergence.toPrecision(3)}, ${mix}: ${isKept ? 'kept one way for all' : 'kept the mix'}`;
}

/** What a budget would come to, before work. */
export function renderBudgetPlan({ asked, leastBitsPerWeight, mostBitsPerWeight, predicted }: BudgetPlan): string[] {
  const range = `${leastBitsPerWeight.toFixed(3)} to ${mostBitsPerWeight.toFixed(3)} bits a weight`;
  return [
    `budget: ${describeAsked(asked)}; these methods store ${range}`,
    predicted
      ? `expected: ${describeFigures(predicted)}`
      : 'expected: known once a run has measured what each site loses; the next plan then shows every site',
  ];
}

function describeAsked(budget: Budget): string {
  switch (budget.kind) {
    case 'bits':
      return `${budget.bitsPerWeight} bits a weight`;
    case 'size':
      return `${formatBytes(budget.bytes)} of files`;
    case 'increase':
      return `perplexity up by ${percent(budget.share)}`;
  }
}

function describeFigures({ bitsPerWeight, bytes, klDivergence, perplexityIncrease }: BudgetFigures): string {
  return [
    `${bitsPerWeight.toFixed(3)} bits a weight`,
    ...(bytes === null ? [] : [`${bytes} bytes`]),
    ...(klDivergence === null
      ? []
      : [`${klDivergence.toPrecision(3)} nats a token from the original on calibration text`]),
    ...(perplexityIncrease === null ? [] : [`perplexity up by ${percent(perplexityIncrease)}`]),
  ].join(', ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
