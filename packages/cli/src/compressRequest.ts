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
    ...methodOf(flags, file),
    ...withoutUndefined({
      bits: flags.bits ?? flags.bitsPerWeight,
      targetSize: flags.targetSize,
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

/** What reaches any size is watersic, unless something else was asked for, which then has to do without. */
function methodOf(
  { method, bitsPerWeight, targetSize }: CompressFlags,
  file: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const flag = bitsPerWeight !== undefined ? '--bits-per-weight' : targetSize !== undefined ? '--target-size' : null;
  const given = method === undefined ? {} : parseMethod(method);
  if (flag === null) return given;
  const chosen: unknown = given.method ?? file.method ?? 'watersic';
  if (chosen === 'watersic' && given.bits === undefined) return { ...given, method: chosen };
  const other = chosen === 'watersic' ? `bits are given by --method ${method}` : `${chosen} has fixed widths`;
  throw new CompressionError('INVALID_OPTION', `${flag}: ${other}; use --method watersic, or --bits.`, { flag });
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
