import { CompressionError } from '@quern/core';
import { isEntropyCoded, isSparse, solvers } from '@quern/solvers';
import { parseMethod } from '../parseMethod.ts';
import type { Recipe, RecipeInput } from '../recipe.ts';

/** What a recipe says of one way to treat every site. */
export type MethodSettings = Pick<RecipeInput, 'method' | 'bits' | 'groupSize' | 'ratio' | 'options'>;

const WHOLE_BITS = [2, 3, 4, 5, 6, 7, 8];
/** Of methods that take other bits too, but must be solved at each. */
const HALF_BITS = [1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8];
/** Of methods that know their loss at any rate. */
const RATES: readonly number[] = Array.from({ length: 121 }, (_, step) => 0.5 + step / 16);
const GROUP_SIZES = [32, 64, 128, 'channel'] as const;
/** Bits up to which searched ranges are tried beside full ones, in act-order where the method has one; and up to which without it too. */
const MOST_BITS_OF_SEARCH = 4;
const MOST_BITS_IN_PLACE = 2;
const RATIOS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9];
/** Of methods that know their loss at any: a quarter of a bit apart. */
const FINE_RATIOS: readonly number[] = Array.from({ length: 60 }, (_, step) => (step + 1) / 64);

/**
 * The settings that a budget tries of a method, `name[:bits[:group]][+correction]`: what its text leaves open, of what its options
 * know. Methods that take a ratio are tried at falling ratios, with factors as they come; all others at every width and group, and grids of few
 * bits with searched ranges too, in act-order where the method has one.
 *
 * Errors: INVALID_OPTION for an unknown method, for one that solves several blocks together, which no site can choose alone, and for one
 * made for the entropy coder, or with zeros, where nothing is coded or masked.
 */
export function methodSettings(
  text: string,
  { groupSize, storage, options }: Pick<Recipe, 'groupSize' | 'storage' | 'options'>,
): MethodSettings[] {
  const given = parseMethod(text);
  const method = given.method!;
  if (!Object.hasOwn(solvers, method)) {
    const known = Object.keys(solvers).join(', ');
    throw new CompressionError('INVALID_OPTION', `Unknown method "${method}": a budget chooses among ${known}.`, {
      method,
    });
  }
  const { needs, optionsSchema } = solvers[method]!;
  if (needs === 'group') {
    throw new CompressionError(
      'INVALID_OPTION',
      `${method} solves several blocks together, and a budget chooses site by site: name others.`,
      { method },
    );
  }
  if (isEntropyCoded(solvers[method]!) && storage !== 'packed') {
    throw new CompressionError(
      'INVALID_OPTION',
      `${method} stores codes for the entropy coder, and a budget counts them in packed files, not ${storage}: use --storage packed, with --layout transformersjs.`,
      { method, storage },
    );
  }
  if (isSparse(solvers[method]!) && storage === 'container') {
    throw new CompressionError(
      'INVALID_OPTION',
      `${method} has sparse factors, and a budget counts them with masks, not with their zeros: use --storage packed-onnx or packed.`,
      { method, storage },
    );
  }
  const knows = (name: string): boolean => Object.hasOwn(optionsSchema.shape, name);
  const takesRate = (bits: number): boolean => optionsSchema.safeParse({ bits }).success;
  const group = given.groupSize ?? groupSize;
  const groups = group !== undefined ? [group] : GROUP_SIZES;
  const common = { method, ...(given.bits === undefined ? {} : { bits: given.bits }) };
  if (knows('ratio')) {
    const ratios = isSparse(solvers[method]!) && solvers[method]!.rateCurve ? FINE_RATIOS : RATIOS;
    return ratios.map(ratio => ({ ...common, ...(group === undefined ? {} : { groupSize: group }), ratio }));
  }
  const ladder = !takesRate(2.5) ? WHOLE_BITS : isEntropyCoded(solvers[method]!) ? RATES : HALF_BITS;
  const rates = ladder.filter(takesRate);
  const widths = !knows('bits') || given.bits !== undefined ? [common] : rates.map(bits => ({ ...common, bits }));
  if (!knows('groupSize')) return widths;
  const grids = groups.flatMap(groupSize => widths.map(width => ({ ...width, groupSize })));
  if (!knows('shrinkSearch') || given.bits !== undefined) return grids;
  if (options.shrinkSearch !== undefined || options.actOrder !== undefined) return grids;
  const narrow = grids.filter(({ bits = Number.POSITIVE_INFINITY }) => bits <= MOST_BITS_OF_SEARCH);
  const searches = (bits: number) => [
    ...(knows('actOrder') ? [{ shrinkSearch: true, actOrder: true }] : []),
    ...(!knows('actOrder') || bits <= MOST_BITS_IN_PLACE ? [{ shrinkSearch: true }] : []),
  ];
  return [...grids, ...narrow.flatMap(grid => searches(grid.bits!).map(options => ({ ...grid, options })))];
}
