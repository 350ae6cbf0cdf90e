import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of a source folder that a user of the result needs: tokenizer, generation settings, chat template, licence, card. */
const COMPANIONS =
  /^(generation_config\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|tokenizer\.model|vocab\.json|merges\.txt|chat_template\.(jinja|json)|licen[cs]e.*|notice.*|readme\.md|preprocessor_config\.json)$/i;

/** Copies what stands around the weights of a source, but for config.json. What cannot be written to there can be here. */
export async function copyCompanions(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const name of (await readdir(source)).filter(candidate => COMPANIONS.test(candidate))) {
    const path = join(source, name);
    if ((await stat(path)).isFile()) await writeFile(join(target, name), await readFile(path));
  }
}
