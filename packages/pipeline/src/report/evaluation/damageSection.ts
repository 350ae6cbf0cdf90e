import { escapeHtml } from '../escapeHtml.ts';
import { formatFigure } from '../formatFigure.ts';
import {
  COLOURED_SHARES,
  type DamagedDocument,
  type DamagedToken,
  type DocumentScore,
  LISTED_TOKENS,
} from './evaluationReport.ts';

/**
 * The most damaged documents: their texts with the tokens where the models part coloured, and the worst of these in a table. `model` names
 * the one that is meant where a page shows several.
 */
export function damageSection(
  damaged: readonly DamagedDocument[],
  documents: readonly DocumentScore[],
  model?: string,
): string {
  if (damaged.length === 0) return '<p class="note">No document lost anything.</p>';
  const legend =
    '<p class="note">The stronger the colour, the further the prediction of a token is from what it was (KL divergence); ' +
    'grey text was context and not scored. The largest five of each text are numbered.</p>';
  return [
    legend,
    ...damaged.map((document, index) =>
      article(document, documents[document.window]!, model === undefined ? `${index + 1}` : `${index + 1}, ${model}`),
    ),
  ].join('\n');
}

function article({ window, tokens }: DamagedDocument, score: DocumentScore, name: string): string {
  const order = tokens.filter(({ isScored }) => isScored).toSorted((a, b) => b.divergence - a.divergence);
  const ranks = new Map(order.map((token, rank) => [token, rank]));
  const text = tokens.map(token => span(token, ranks.get(token), order.length)).join('');
  const figures =
    `document ${window + 1}, ${score.tokenCount} tokens: ${formatFigure(score.before)} to ${formatFigure(score.after)} nats per token, ` +
    `KL ${formatFigure(score.klDivergence, 3)}, ${score.lost} lost, ${score.gained} gained`;
  return (
    `<article class="damaged"><h3><span class="place">${escapeHtml(name)}</span> ${figures}</h3>\n` +
    `<p class="text">${text}</p>\n${listed(order.slice(0, LISTED_TOKENS), name)}</article>`
  );
}

function span(token: DamagedToken, rank: number | undefined, count: number): string {
  const shown = escapeHtml(token.text);
  if (rank === undefined) return shown === '' ? '' : `<span class="context">${shown}</span>`;
  if (shown === '') return '';
  const level = COLOURED_SHARES.findIndex(
    (share, place) => rank < Math.max(share * count, LISTED_TOKENS * (place + 1)),
  );
  if (level < 0) return shown;
  const { details } = token;
  const title =
    `KL ${formatFigure(token.divergence, 3)} nats` +
    (details === null
      ? ''
      : `; probability ${formatFigure(details.before, 2)} before, ${formatFigure(details.after, 2)} after; ` +
        `expected ${quoted(details.topBefore)} before, ${quoted(details.topAfter)} after`);
  const number = rank < LISTED_TOKENS ? `<sup>${rank + 1}</sup>` : '';
  return `<mark class="level-${level}" title="${escapeHtml(title)}">${shown}${number}</mark>`;
}

function listed(tokens: readonly DamagedToken[], name: string): string {
  const rows = tokens.map(({ text, divergence, details }, rank) => {
    if (details === null) return '';
    const expected = (guess: string, confidence: number): string =>
      `<td>${escapeHtml(quoted(guess))} <span class="place">${formatFigure(confidence, 2)}</span></td>`;
    return (
      `<tr><th scope="row">${rank + 1}</th><td>${escapeHtml(quoted(text))}</td>` +
      `<td class="number">${formatFigure(details.before, 2)}</td><td class="number">${formatFigure(details.after, 2)}</td>` +
      `${expected(details.topBefore, details.confidenceBefore)}${expected(details.topAfter, details.confidenceAfter)}` +
      `<td class="number">${formatFigure(divergence, 3)}</td></tr>`
    );
  });
  return (
    `<div class="scroll" role="region" aria-label="Largest divergences of text ${escapeHtml(name)}" tabindex="0"><table>\n` +
    '<thead><tr><th scope="col"></th><th scope="col">What came</th><th scope="col" class="number">p before</th>' +
    '<th scope="col" class="number">p after</th><th scope="col">Expected before</th><th scope="col">Expected after</th>' +
    `<th scope="col" class="number">KL, nats</th></tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table></div>`
  );
}

/** A token's text in quotes, so that its spaces are seen; line feeds as an arrow. */
function quoted(text: string): string {
  return `“${text.replaceAll('\n', '↵').replaceAll('\t', '⇥')}”`;
}
