import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import type { OpenedModel } from '../open/openModel.ts';
import type { Recipe } from '../recipe.ts';
import { copyCompanions } from './copyCompanions.ts';
import { type GenaiConfig, genaiConfig } from './genaiConfig.ts';
import { limitContext } from './limitContext.ts';
import { readGenaiCache } from './readGenaiCache.ts';

export const GENAI_GRAPH = 'model.onnx';
export const GENAI_DATA = 'model.onnx.data';

/**
 * The genai_config.json of a model.
 *
 * Errors: those of `genaiConfig`; INVALID_OPTION without a config.json.
 */
export async function prepareGenai(opened: OpenedModel, target: Recipe['target']): Promise<GenaiConfig> {
  const { model, path, tokenizerFolder } = opened;
  readGenaiCache(model, path);
  const original = tokenizerFolder && (await readObject(join(tokenizerFolder, 'config.json')));
  if (!original) {
    throw new CompressionError(
      'INVALID_OPTION',
      `--layout genai needs the config.json of ${path}: pass --tokenizer <folder with tokenizer.json and config.json>.`,
      { path },
    );
  }
  const config = limitContext(original, opened.text?.contextLength ?? null);
  const generation = (await readObject(join(tokenizerFolder, 'generation_config.json'))) ?? {};
  return genaiConfig({ model, path, filename: GENAI_GRAPH, config, generation, target });
}

/** Writes everything around the graph: genai_config.json, the tokenizer and its companions, and config.json, as it was but for `limitContext`. */
export async function writeGenaiLayout(
  source: string,
  target: string,
  { config, contextLength }: { readonly config: GenaiConfig; readonly contextLength: number | null },
): Promise<void> {
  await copyCompanions(source, target);
  const bytes = await readFile(join(source, 'config.json'));
  const original = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const limited = limitContext(original, contextLength);
  const written = limited === original ? bytes : `${JSON.stringify(limited, null, 2)}\n`;
  await writeFile(join(target, 'config.json'), written);
  await writeFile(join(target, 'genai_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

async function readObject(path: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // reported below, as any other content that is no object
  }
  throw new CompressionError('INVALID_CONFIG', `${path} is not a JSON object.`, { path });
}
