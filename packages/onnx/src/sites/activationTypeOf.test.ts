import { expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { activationTypeOf } from './activationTypeOf.ts';
import { findLinearSites } from './findLinearSites.ts';

/** A weight stored in one type and cast to another before it is multiplied by. */
function typeOf(stored: number, computed: number): string {
  const model = createModel({
    folder: '.',
    inputs: [tensorInput('x', computed, ['n', 2])],
    outputs: [tensorInput('y', computed, ['n', 2])],
    initializers: [inlineInitializer('fc.weight', stored, [2, 2], new Uint8Array(stored === DataType.FLOAT ? 16 : 8))],
    nodes: [
      node('Cast', ['fc.weight'], ['cast'], { attributes: { to: { int: computed } } }),
      node('MatMul', ['x', 'cast'], ['y']),
    ],
  });
  return activationTypeOf(model, findLinearSites(model)[0]!);
}

it('is the type after casts', () => {
  expect(typeOf(DataType.BFLOAT16, DataType.FLOAT)).toBe('float32');
  expect(typeOf(DataType.FLOAT, DataType.FLOAT16)).toBe('float16');
  expect(() => typeOf(DataType.FLOAT16, DataType.BFLOAT16)).toThrow(/fc computes in BFLOAT16.*--exclude 'fc'/);
});
