import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRecipe, recipeJsonSchema, resolveRecipe } from './recipe.ts';

it('fills in what is left out with the defaults of the command line', () => {
  expect(resolveRecipe({})).toEqual({
    method: 'gptq',
    sequential: true,
    options: {},
    rules: [],
    exclude: [],
    headBits: 8,
    rotate: false,
    calibration: { windows: 128 },
    onFailure: 'stop',
    seed: 0,
    accuracyLevel: 4,
    dtype: 'fp32',
    target: 'cpu',
    layout: 'transformersjs',
  });
  expect(resolveRecipe(undefined)).toEqual(resolveRecipe({}));
  expect(resolveRecipe({ calibration: { windowLength: 64 } }).calibration).toEqual({ windows: 128, windowLength: 64 });
});

describe('what cannot be', () => {
  it.each([
    [{ bits: 9 }, 'bits (9): must be at least 1 and at most 8'],
    [{ bits: 0.5 }, 'bits (0.5): must be at least 1 and at most 8'],
    [{ bits: Number.NaN }, 'bits (NaN): must be at least 1 and at most 8'],
    [{ bits: '4' }, `bits ("4"): must be a number at least 1 and at most 8`],
    [{ ratio: 1.2 }, 'ratio (1.2): must be at least 0 and below 1 or an expression'],
    [{ ratio: -0.1 }, 'ratio (-0.1): must be at least 0 and below 1 or an expression'],
    [{ ratio: true }, 'ratio (true): must be a number at least 0 and below 1 or an expression'],
    [{ targetSize: [] }, 'targetSize ([]): must be a number or an expression'],
    [{ groupSize: 33 }, 'groupSize (33): must be 16, 32, 64, 128, 256 or channel'],
    [{ headBits: 1 }, 'headBits (1): must be 2..8, or 16 to leave them as they are'],
    [{ dtype: 'int8' }, 'dtype ("int8"): must be fp32 or fp16'],
    [{ accuracyLevel: 2 }, 'accuracyLevel (2): must be 0 or 4'],
    [{ exclude: 'a' }, 'exclude ("a"): must be a list'],
    [{ exclude: [1] }, 'exclude[0] (1): must be text'],
    [{ calibration: { windows: 0 } }, 'calibration.windows (0): must be a whole number, at least 1'],
    [{ rules: [{ bits: 4 }] }, 'rules[0].sites is missing: must be text'],
    [{ rules: [{ sites: '*', bits: 0 }] }, 'rules[0].bits (0): must be at least 1 and at most 8'],
    [{ options: { actOrder: [true] } }, 'options.actOrder ([true]): must be a number, true or false or text'],
    [5, 'the whole (5): must be a mapping'],
  ])('is named with value and limit: %j', (input, problem) => {
    expect(() => resolveRecipe(input, 'my.yaml')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: `Invalid my.yaml: ${problem}.` }),
    );
  });

  it('is an unknown key, at every depth, and every problem is named', () => {
    let problems: unknown;
    try {
      resolveRecipe({ bitz: 4, bits: 0, calibration: { window: 3 }, rules: [{ sites: '*', group: 1 }] });
    } catch (error) {
      problems = (error as { context: { problems: unknown } }).context.problems;
    }
    expect(problems).toEqual([
      'bits (0): must be at least 1 and at most 8',
      'rules[0].group: no such key; known are sites, method, bits, groupSize, ratio, options',
      'calibration.window: no such key; known are data, windows, windowLength, temperature',
      expect.stringMatching(/^bitz: no such key; known are method, bits, /),
    ]);
  });

  it('is a width that a target has no kernel for', () => {
    expect(() => resolveRecipe({ target: 'cuda', bits: 2 })).toThrow(/bits \(2\).*CUDA/);
    expect(() => resolveRecipe({ target: 'cuda', rules: [{ sites: '*', bits: 2 }] })).toThrow(/bits \(2\).*CUDA/);
    expect(() => resolveRecipe({ target: 'cuda', headBits: 2 })).toThrow(/headBits \(2\).*CUDA/);
    expect(() =>
      resolveRecipe({ target: 'cuda', method: 'none', rules: [{ sites: '*', method: 'rtn', bits: 2 }] }),
    ).toThrow(/rules\[0\]\.bits \(2\).*CUDA/);
    expect(resolveRecipe({ target: 'webgpu', bits: 2 }).bits).toBe(2);
  });

  it('is no such width where nothing gets it', () => {
    const rules = [{ sites: '*.q_proj', method: 'none', bits: 2 }];
    expect(resolveRecipe({ target: 'cuda', rules }).rules).toEqual(rules);
    expect(resolveRecipe({ target: 'cuda', method: 'none', bits: 2, headBits: 2 }).bits).toBe(2);
    expect(resolveRecipe({ target: 'cuda', method: 'aqlm', bits: 2 }).bits).toBe(2);
    expect(resolveRecipe({ target: 'cuda', rules: [{ sites: '*', method: 'aqlm', bits: 2 }] }).rules).toHaveLength(1);
  });
});

describe('YAML', () => {
  it('is read', () => {
    expect(parseRecipe('bits: 3\nrules:\n  - sites: "*.down_proj" # wide\n    bits: 5\n', 'r.yaml')).toEqual({
      bits: 3,
      rules: [{ sites: '*.down_proj', bits: 5 }],
    });
  });

  it.each([
    ['bits: [3', /r\.yaml is not valid YAML/],
    ['- bits', /r\.yaml is not a mapping/],
    ['', /r\.yaml is not a mapping/],
    ['just words', /r\.yaml is not a mapping/],
  ])('that is none is refused: %j', (text, message) => {
    expect(() => parseRecipe(text, 'r.yaml')).toThrow(
      expect.objectContaining({ code: 'INVALID_RECIPE', message: expect.stringMatching(message) }),
    );
  });
});

it('has the schema that was written for editors (else run `node tools/recipeSchema.ts`)', async () => {
  const file = join(import.meta.dirname, '..', 'recipe.schema.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(recipeJsonSchema())));
});
