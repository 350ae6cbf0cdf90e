import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer } from '@huggingface/tokenizers';
import type { TokenWindow } from '@quern/core';
import type { TextSizes } from '../modelFigures.ts';

/** Models and texts that are not part of the repository; tests that need them are skipped where they are absent. */
export const DATA_FOLDER = join(import.meta.dirname, '../../../../../shared/data');

export const hasData = existsSync(DATA_FOLDER);

/** The 200 evaluation stories, each alone: BOS + text, cut at the context, every token after BOS scored. */
export function storyWindows(modelName: string): { windows: TokenWindow[]; sizes: TextSizes } {
  const folder = join(DATA_FOLDER, 'models', modelName);
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
  const { bos_token_id: bos, max_position_embeddings: context } = read('config.json');
  const text = gunzipSync(readFileSync(join(DATA_FOLDER, 'text/tinystories_eval.txt.gz'))).toString('utf8');
  const byteCounts: number[] = [];
  const stories = text.split('<|endoftext|>').map(story => story.trim());
  const windows = stories.filter(Boolean).map(story => {
    const ids = tokenizer.encode(story, { add_special_tokens: false }).ids.slice(0, context - 1);
    // The tokenizers put a space before the text, which is scored but which their decoder drops.
    byteCounts.push(1 + Buffer.byteLength(tokenizer.decode(ids)));
    return { ids: Int32Array.of(bos, ...ids), firstScored: 1 };
  });
  return { windows, sizes: { byteCounts, wordCounts: byteCounts } };
}
