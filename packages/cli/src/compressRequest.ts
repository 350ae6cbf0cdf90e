import { readFile } from 'node:fs/promises';
import { CompressionError } from '@quern/core';
import {
  type CompressRequest,
  parseGroupSize,
  parseMethod,
  parseRecipe,
  type RecipeInput,
  resolveRecipe,
} from '@quern/pipeline';
import type { CompressFlags } from './compressFlags.ts';

/** Flags and recipe file, or what stands in its place, to a request. Errors: USAGE without --out, INVALID_RECIPE, INVALID_OPTION. */
export async function compressRequest(
  model: string,
  flags: CompressFlags,
  needsOut: boolean,
  base?: RecipeInput,
): Promise<CompressRequest> {
  if (needsOut && !flags.out) {
    throw new CompressionError('USAGE', '--out <dir> is missing: name a folder for the result.');
  }
  const file = base ?? (flags.recipe === undefined ? {} : parseRecipe(await readRecipe(flags.recipe), flags.recipe));
  const calibration = withoutUndefined({
    ...file.calibration,
    ...withoutUndefined({ data: flags.calibration, windows: flags.windows, windowLength: flags.windowLength }),
  });
  const method = methodOf(flags, file);
  const input: Record<string, unknown> = {
    ...withoutRivals(file, flags, method),
    ...method,
    ...withoutUndefined({
      bits: flags.bits ?? flags.bitsPerWeight,
      targetSize: flags.targetSize,
      groupSize: flags.groupSize === undefined ? undefined : parseGroupSize(flags.groupSize),
      ratio: parseRatio(flags.ratio),
      seed: flags.seed,
      exclude: flags.exclude,
      rotate: flags.rotate === undefined ? undefined : flags.rotate === 'auto' ? 'auto' : flags.rotate === 'true',
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
    statistics: flags.statistics,
    evaluate: flags.evaluate === 'none' ? null : flags.evaluate,
    windowLength: flags.windowLength,
    perDocument: flags.perDocument ?? false,
    device: flags.device,
    threads: flags.threads,
    force: flags.force ?? false,
    resume: flags.resume ?? false,
  };
}

/** A recipe file without what flags say in another way: bits and a size are two ways to say one thing. */
function withoutRivals(
  file: Readonly<Record<string, unknown>>,
  { bits, bitsPerWeight, targetSize }: CompressFlags,
  method: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { bits: ownBits, targetSize: ownSize, ...others } = file;
  const givesBits = (bits ?? bitsPerWeight ?? method.bits) !== undefined;
  return withoutUndefined({
    ...others,
    bits: targetSize === undefined ? ownBits : undefined,
    targetSize: givesBits ? undefined : ownSize,
  });
}

/** What reaches any size is watersic, unless something else was asked for, which then has to do without. */
function methodOf(
  { method, bitsPerWeight, targetSize }: CompressFlags,
  file: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const [flag, value] =
    bitsPerWeight !== undefined
      ? ['--bits-per-weight', bitsPerWeight]
      : targetSize !== undefined
        ? ['--target-size', targetSize]
        : [null];
  const given = method === undefined ? {} : parseMethod(method);
  if (flag === null) return given;
  // A file may mix methods: the plan tells whether one of them reaches any size.
  if (flag === '--target-size' && method === undefined && file.method !== undefined) return given;
  const chosen: unknown = given.method ?? file.method ?? 'watersic';
  if (chosen === 'watersic' && given.bits === undefined) return { ...given, method: chosen };
  const other = chosen === 'watersic' ? `bits are given by --method ${method}` : `${chosen} has fixed widths`;
  throw new CompressionError('INVALID_OPTION', `${flag} ${value}: ${other}; use --method watersic, or --bits.`, {
    flag,
  });
}

/** A number where it is one; anything else is an expression. */
function parseRatio(text: string | undefined): number | string | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== '' ? value : text;
}

/** The text of a recipe file. Errors: INVALID_RECIPE. */
export async function readRecipe(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CompressionError('INVALID_RECIPE', `Cannot read --recipe ${path}: ${(error as Error).message}`, { path });
  }
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
