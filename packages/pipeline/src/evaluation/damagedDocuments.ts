import { join } from 'node:path';
import type { Tokenizer } from '@quern/calibration';
import { createTextStream } from '@quern/calibration';
import type { TokenWindow } from '@quern/core';
import { type ExplainedToken, explainLosses, explainWindows } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { asBlockPair } from '../forward/asBlocks.ts';
import { lossesByBlocks } from '../forward/lossesByBlocks.ts';
import { tokenRun } from '../forward/tokenRun.ts';
import { exitFolder } from '../open/exitFolder.ts';
import {
  COLOURED_SHARES,
  type DamagedDocument,
  type DamagedToken,
  type DocumentScore,
  LISTED_TOKENS,
  type TokenDetails,
} from '../report/evaluation/evaluationReport.ts';
import { rounded } from './documentScores.ts';

/** What damaged documents are shown with. */
export interface DamageSource {
  readonly model: OnnxModel;
  readonly baseline: OnnxModel;
  readonly windows: readonly TokenWindow[];
  readonly tokenizer: Tokenizer;
  readonly device: Device;
  readonly threads?: number | undefined;
}

/**
 * The `count` windows whose loss rose most per token, with what both models expected at each of their tokens. Windows of less than half
 * the mean length are left out: a few tokens say little of a document. `window` of the result is an index among `documents`.
 *
 * Errors and cost: those of `explainWindows`.
 */
export async function damagedDocuments(
  documents: readonly (DocumentScore & { readonly window: number })[],
  source: DamageSource,
  count: number,
): Promise<DamagedDocument[]> {
  const mean = documents.reduce((sum, { tokenCount }) => sum + tokenCount, 0) / documents.length;
  const chosen = documents
    .map((document, place) => ({ place, ...document }))
    .filter(({ tokenCount, before, after }) => tokenCount >= mean / 2 && after > before)
    .toSorted((a, b) => b.after - b.before - (a.after - a.before) || a.place - b.place)
    .slice(0, count);
  if (chosen.length === 0) return [];
  const windows = chosen.map(({ window }) => source.windows[window]!);
  const { model, baseline, tokenizer, device, threads } = source;
  const options = { device, ...(threads === undefined ? {} : { threads }) };
  const blocks = asBlockPair(model, baseline, device);
  const runs = windows.map(({ ids }) => tokenRun([ids]));
  const place = async () => ({ ...options, scratch: join(await exitFolder('explained'), 'hidden') });
  const explained = blocks
    ? (await lossesByBlocks(blocks.own, blocks.baseline, runs, await place())).map(explainLosses)
    : await explainWindows(model, windows, { ...options, baseline });
  return chosen.map(({ place }, index) => ({
    window: place,
    tokens: describeTokens(windows[index]!, explained[index]!, tokenizer),
  }));
}

function describeTokens(
  window: TokenWindow,
  explained: readonly ExplainedToken[],
  tokenizer: Tokenizer,
): DamagedToken[] {
  const stream = createTextStream(tokenizer, new Int32Array(0));
  const texts = Array.from(window.ids, id => stream.push(id));
  const nameOf = (id: number): string => tokenizer.decodeInside(Int32Array.of(id));
  const scored = explained.slice(window.firstScored - 1).map(({ divergence }) => divergence);
  const shown = Math.max(Math.ceil(COLOURED_SHARES.at(-1)! * scored.length), COLOURED_SHARES.length * LISTED_TOKENS);
  const limit = scored.toSorted((a, b) => b - a)[Math.min(shown, scored.length) - 1]!;
  const detailsOf = (token: ExplainedToken): TokenDetails => ({
    before: rounded(token.before),
    after: rounded(token.after),
    topBefore: nameOf(token.topBefore),
    topAfter: nameOf(token.topAfter),
    confidenceBefore: rounded(token.confidenceBefore),
    confidenceAfter: rounded(token.confidenceAfter),
  });
  return [
    { text: texts[0]!, isScored: false, divergence: 0, details: null },
    ...explained.map((token, index) => {
      const isScored = index + 1 >= window.firstScored;
      return {
        text: texts[index + 1]!,
        isScored,
        divergence: Number(token.divergence.toPrecision(3)),
        details: isScored && token.divergence >= limit ? detailsOf(token) : null,
      };
    }),
  ];
}
