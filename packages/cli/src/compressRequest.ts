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
      bits: flags.bits,
      ...budgetOf(flags),
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

/** The budget that flags name. */
function budgetOf({ bitsPerWeight, targetSize, maxPerplexityIncrease }: CompressFlags): Record<string, unknown> {
  return withoutUndefined({ bitsPerWeight, targetSize, maxPerplexityIncrease });
}

/** A recipe file without what flags say in another way: widths, ratios and budgets are ways to say one thing. */
function withoutRivals(
  file: Readonly<Record<string, unknown>>,
  flags: CompressFlags,
  method: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { bits, ratio, bitsPerWeight, targetSize, maxPerplexityIncrease, methods, ...others } = file;
  if (Object.keys(budgetOf(flags)).length > 0) return withoutUndefined({ ...others, methods });
  const givesWidths = flags.bits !== undefined || flags.ratio !== undefined || method.bits !== undefined;
  const budget = { bitsPerWeight, targetSize, maxPerplexityIncrease, methods };
  return withoutUndefined({ ...others, bits, ratio, ...(givesWidths ? {} : budget) });
}

/** With a budget a method is what it chooses among, and may leave bits and group open. */
function methodOf(flags: CompressFlags, file: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { method, methods, bits, ratio } = flags;
  if (method !== undefined && methods !== undefined) {
    throw new CompressionError('USAGE', '--method and --methods: name one method, or several with a budget.');
  }
  if (methods !== undefined) return { methods };
  if (method === undefined) return {};
  const settings = parseMethod(method);
  const isInFile = ['bitsPerWeight', 'targetSize', 'maxPerplexityIncrease'].some(key => file[key] !== undefined);
  const keepsFile = isInFile && [bits, ratio, settings.bits].every(given => given === undefined);
  if (Object.keys(budgetOf(flags)).length === 0 && !keepsFile) return settings;
  return { method: settings.method, methods: [method] };
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
