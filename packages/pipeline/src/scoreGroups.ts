import type { TokenWindow } from '@quern/core';
import { joinScores, type WindowScores } from '@quern/evaluator';
import type { BlockModel } from './forward/asBlocks.ts';
import { groupByTokens } from './forward/groupByTokens.ts';
import { scoreByBlocks } from './forward/scoreByBlocks.ts';
import type { PreparedText } from './open/prepareText.ts';
import { textContent } from './open/textContent.ts';
import { type GroupContext, type GroupWork, overGroups } from './overGroups.ts';

/** Scores windows block by block, in groups. */
export async function scoreGroups(
  { own, baseline }: { readonly own: BlockModel; readonly baseline?: BlockModel },
  text: PreparedText,
  context: GroupContext,
): Promise<WindowScores> {
  const tokensOf = ({ ids }: TokenWindow): number => ids.length;
  const work: GroupWork<TokenWindow, WindowScores> = {
    groups: groupByTokens(text.windows, tokensOf, context.groupTokens),
    tokensOf,
    content: { text: textContent(text) },
    score: (windows, options) => scoreByBlocks(own, windows, { ...options, ...(baseline ? { baseline } : {}) }),
  };
  return joinScores(await overGroups(work, context));
}
