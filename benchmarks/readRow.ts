import { parseMethod, type RecipeInput } from '@quern/pipeline';

/** A row of a table: a method as the command line takes it, and after each `/` an option of its solver, `gptq:4:32/shrinkSearch=true`. */
export function readRow(row: string): RecipeInput {
  const [method = '', ...given] = row.split('/');
  return { ...parseMethod(method), options: Object.fromEntries(given.map(readOption)) };
}

/** `name=value`, a number or boolean where it reads as one. */
function readOption(text: string): [string, number | boolean | string] {
  const [name = '', value = ''] = text.split('=');
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
}
