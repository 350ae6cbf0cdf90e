import { readFile } from 'node:fs/promises';
import { CompressionError } from '@quern/core';
import { type CompressRequest, parseGroupSize, parseMethod, parseRecipe, resolveRecipe } from '@quern/pipeline';
import type { CompressFlags } from './compressFlags.ts';

/** Flags and recipe file to a request. Errors: USAGE without --out, INVALID_RECIPE, INVALID_OPTION. */
export async function compressRequest(
  model: string,
  flags: CompressFlags,
  needsOut: boolean,
): Promise<CompressRequest> {
  if (needsOut && !flags.out) {
    throw new CompressionError('USAGE', '--out <dir> is missing: name a folder for the result.');
  }
  const file = flags.recipe === undefined ? {} : parseRecipe(await readRecipe(flags.recipe), flags.recipe);
  const calibration = withoutUndefined({
    ...file.calibration,
    ...withoutUndefined({ data: flags.calibration, windows: flags.windows, windowLength: flags.windowLength }),
  });
  const input: Record<string, unknown> = {
    ...file,
    ...(flags.method === undefined ? {} : parseMethod(flags.method)),
    ...withoutUndefined({
      bits: flags.bits,
      groupSize: flags.groupSize === undefined ? undefined : parseGroupSize(flags.groupSize),
      ratio: parseRatio(flags.ratio),
      seed: flags.seed,
      exclude: flags.exclude,
      headBits: flags.headBits,
      storage: flags.storage,
      target: flags.target,
      accuracyLevel: flags.accuracyLevel,
      dtype: flags.dtype,
      layout: flags.layout,
    }),
    ...(Object.keys(calibration).length > 0 ? { calibration } : {}),
  };
  return {
    model,
    out: flags.out ?? '',
    recipe: resolveRecipe(input, flags.recipe ?? 'options'),
    tokenizer: flags.tokenizer,
    feeds: flags.feeds,
    evaluate: flags.evaluate === 'none' ? null : flags.evaluate,
    windowLength: flags.windowLength,
    perDocument: flags.perDocument ?? false,
    device: flags.device,
    threads: flags.threads,
    force: flags.force ?? false,
    resume: flags.resume ?? false,
  };
}

/** A number where it is one; anything else is an expression. */
function parseRatio(text: string | undefined): number | string | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== '' ? value : text;
}

async function readRecipe(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CompressionError('INVALID_RECIPE', `Cannot read --recipe ${path}: ${(error as Error).message}`, { path });
  }
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
