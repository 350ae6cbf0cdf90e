import { CompressionError } from '@quern/core';
import { describeProblems, solvers } from '@quern/solvers';
import { parse } from 'yaml';
import { z } from 'zod';
import { readBudget } from './budget/readBudget.ts';

const bits = z.number().min(1).max(8);
const groupSize = z.literal([16, 32, 64, 128, 256, 'channel']);
const expression = z.string().meta({ title: 'an expression' });
const ratio = z.union([z.number().min(0).lt(1), expression]);
const budget = z.union([z.number(), expression]);
const solverOptions = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));
const headBits = z.literal([2, 3, 4, 5, 6, 7, 8, 16], { error: 'must be 2..8, or 16 to leave them as they are' });

/** What a recipe says for the sites that match a pattern; later rules win. */
const siteRule = z.strictObject({
  sites: z.string().describe('glob over site names, such as model.layers.0.*'),
  method: z.string().optional(),
  bits: bits.optional(),
  groupSize: groupSize.optional(),
  ratio: ratio.optional(),
  options: solverOptions.optional(),
});

/** A recipe as data. Unknown keys are refused; every field has the command line's default. */
export const recipeSchema = z.strictObject({
  method: z.string().default('gptq').describe('a solver, or none'),
  bits: bits
    .optional()
    .describe('bits of the grid, 4 unless given; of the factors for factorisations, 16 unless given'),
  groupSize: groupSize.optional().describe('inputs that share one scale, 32 unless given'),
  methods: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('what a budget chooses among, each name[:bits[:group]][+correction]; method unless given'),
  bitsPerWeight: budget.optional().describe('budget: stored bits per weight of the solved weights, at most'),
  targetSize: budget.optional().describe('budget: bytes of graph and data together, at most, such as 3.2MB'),
  maxPerplexityIncrease: budget
    .optional()
    .describe('budget: rise of the perplexity on the evaluation text, at most, such as 2%'),
  ratio: ratio
    .optional()
    .describe(
      'fraction of the bytes to remove, counted from 16 bits a weight: a number or an expression over block and blockCount',
    ),
  allocation: z
    .enum(['uniform', 'pooled', 'truncationLoss', 'sensitivity'])
    .optional()
    .describe(
      'how a ratio, or the bits of an entropy-coded method, are spread over the sites; the method has a default',
    ),
  sequential: z
    .boolean()
    .default(true)
    .describe(
      'true: each block is calibrated behind the compressed blocks before it; false: all on the original model',
    ),
  options: solverOptions.default({}).describe('options of the solver'),
  rules: z.array(siteRule).default([]).describe('exceptions by site; later rules win'),
  exclude: z.array(z.string()).default([]).describe('globs over site names that stay as they are'),
  rotate: z
    .union([z.boolean(), z.literal('auto')])
    .default(false)
    .describe(
      'fold random rotations into the weights before calibration, so that no channel stands out; auto: where that loses less on held-out calibration text',
    ),
  headBits: headBits.default(8).describe('bits of embedding and head'),
  calibration: z
    .strictObject({
      data: z
        .string()
        .optional()
        .describe(
          'a set of calib-data or a file; general (prose and stories), mixed (general and code), or self: written by the model',
        ),
      windows: z.number().int().min(1).default(128),
      windowLength: z.number().int().min(2).optional(),
      temperature: z.number().positive().max(2).optional().describe('of text that the model writes; 1 unless given'),
    })
    .prefault({}),
  onFailure: z
    .enum(['stop', 'roundToNearest'])
    .default('stop')
    .describe('what happens to a site whose solver fails; the report names such sites'),
  seed: z.number().int().min(0).default(0),
  accuracyLevel: z.literal([0, 4]).default(4).describe('4: int8 activations, fast; 0: float32 arithmetic'),
  dtype: z.enum(['fp32', 'fp16']).default('fp32').describe('arithmetic of everything that is not quantised'),
  storage: z
    .enum(['container', 'packed', 'packed-onnx'])
    .optional()
    .describe(
      'packed for entropy-coded methods, packed-onnx for sparse ones, else container, unless given. container: what the kernels read, zeros too; packed: the fewest bytes, for @quern/loader and quern unpack; packed-onnx: bit planes and masks that standard operators unpack at load',
    ),
  target: z.enum(['cpu', 'cuda', 'webgpu', 'wasm']).default('cpu').describe('where the result will run'),
  layout: z.enum(['transformersjs', 'genai']).default('transformersjs').describe('folder layout of a client'),
});

export type Recipe = z.infer<typeof recipeSchema>;
/** What a user writes: everything may be left out. */
export type RecipeInput = z.input<typeof recipeSchema>;

/** Checks a recipe and fills in the defaults. Errors: INVALID_OPTION naming key, value and limit. */
export function resolveRecipe(input: unknown, source = 'options'): Recipe {
  const result = recipeSchema.safeParse(input ?? {});
  if (result.success) return withBudget(checkTarget(result.data), input as RecipeInput | undefined);
  const problems = describeProblems(recipeSchema, result.error, input);
  throw new CompressionError('INVALID_OPTION', `Invalid ${source}: ${problems.join('; ')}.`, { problems });
}

/** Reads a recipe from YAML text. Errors: INVALID_RECIPE for text that is not a YAML mapping. */
export function parseRecipe(text: string, source: string): RecipeInput {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new CompressionError('INVALID_RECIPE', `${source} is not valid YAML: ${(error as Error).message}`, {
      source,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CompressionError('INVALID_RECIPE', `${source} is not a mapping of recipe keys.`, { source });
  }
  return value as RecipeInput;
}

/**
 * The JSON schema of a recipe file. It lies in recipe.schema.json beside this package's manifest; `node tools/recipeSchema.ts`
 * writes it. An editor completes and checks a recipe whose first line is `# yaml-language-server: $schema=` and the file's path
 * or address.
 */
export function recipeJsonSchema(): object {
  return { title: 'Quern recipe', ...z.toJSONSchema(recipeSchema, { io: 'input' }) };
}

/** Checks what stands beside a budget, and takes a method that was named as what it chooses among. */
function withBudget(recipe: Recipe, input: RecipeInput | undefined): Recipe {
  const budget = readBudget(recipe);
  if (budget === null) {
    if (recipe.methods === undefined) return recipe;
    const message =
      'methods: only a budget chooses among methods: add bitsPerWeight, targetSize or maxPerplexityIncrease.';
    throw new CompressionError('INVALID_OPTION', message, { methods: recipe.methods });
  }
  const rival = (['bits', 'ratio', 'allocation'] as const).find(name => recipe[name] !== undefined);
  if (rival !== undefined) {
    const message = `${rival} (${recipe[rival]}): a budget chooses it; leave one of them out, or name it as a method such as gptq:4.`;
    throw new CompressionError('INVALID_OPTION', message, { [rival]: recipe[rival] });
  }
  if (recipe.method === 'none') {
    throw new CompressionError('INVALID_OPTION', 'method (none): it solves nothing that a budget could share out.');
  }
  const named = input?.method === undefined ? undefined : [recipe.method];
  return { ...recipe, ...(recipe.methods === undefined && named ? { methods: named } : {}) };
}

function checkTarget(recipe: Recipe): Recipe {
  const key = recipe.target === 'cuda' ? keyOfTwoBits(recipe) : null;
  if (key === null) return recipe;
  throw new CompressionError(
    'INVALID_OPTION',
    `${key} (2): the CUDA kernels read 4 and 8 bits only; use 3 bits or more, or another --target.`,
    { target: recipe.target },
  );
}

/** Whether weights of 2 bits by this method are products of codes of 2 bits, which not every target has a kernel for. */
export function multipliesTwoBits(method: string): boolean {
  return Object.hasOwn(solvers, method) && solvers[method]!.runsWider === undefined;
}

/** The first key by which something gets 2 bits, null when nothing does. */
function keyOfTwoBits({ method, bits, headBits, rules }: Recipe): string | null {
  const solves = (name: string | undefined) => name !== undefined && multipliesTwoBits(name);
  const usesDefault = solves(method) || rules.some(rule => solves(rule.method) && rule.bits === undefined);
  if (bits === 2 && usesDefault) return 'bits';
  // A rule without a method takes the default's, or that of a rule before it.
  const anySolves = solves(method) || rules.some(rule => solves(rule.method));
  const index = rules.findIndex(
    rule => rule.bits === 2 && (rule.method === undefined ? anySolves : solves(rule.method)),
  );
  if (index >= 0) return `rules[${index}].bits`;
  return headBits === 2 && method !== 'none' ? 'headBits' : null;
}
