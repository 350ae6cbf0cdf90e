import { CompressionError } from '@quern/core';
import type { RecipeInput } from './recipe.ts';

/** `name[:bits[:group]][+correction]`, such as `rtn:3:128` or `gptq:3+lowrank`, as part of a recipe. Errors: INVALID_OPTION. */
export function parseMethod(text: string): Pick<RecipeInput, 'method' | 'bits' | 'groupSize'> {
  const [base = '', ...corrections] = text.split('+');
  const [name = '', bits, group, ...rest] = base.split(':');
  if (name === '' || rest.length > 0 || corrections.some(correction => !/^[a-z]+$/.test(correction))) {
    throw new CompressionError(
      'INVALID_OPTION',
      `The method "${text}": expected name, name:bits or name:bits:group, with +lowrank after it for a correction.`,
      { method: text },
    );
  }
  return {
    method: [name, ...corrections].join('+'),
    ...(bits === undefined ? {} : { bits: Number(bits) }),
    ...(group === undefined ? {} : { groupSize: parseGroupSize(group) }),
  } as Pick<RecipeInput, 'method' | 'bits' | 'groupSize'>;
}

/** A number where it is one, the text as it is otherwise: the recipe's schema says what is wrong with it. */
export function parseGroupSize(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== '' ? value : text;
}
