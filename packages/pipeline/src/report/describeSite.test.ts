import { expect, it } from 'vitest';
import { describeSite } from './describeSite.ts';

it.each([
  ['/model/layers.3/attn/q_proj/MatMul', 3, 'q_proj'],
  ['model.layers.12.mlp.down_proj', 12, 'down_proj'],
  ['/model/layers.0/attn/q_proj/MatMul_Q4', 0, 'q_proj'],
  ['/transformer/h.7/mlp/c_fc/Gemm', 7, 'c_fc'],
  ['/h.0/attn/c_attn/Gemm_output', 0, 'c_attn'],
  ['/dense/MatMul', null, 'dense'],
  ['lm_head', null, 'lm_head'],
  ['MatMul', null, 'MatMul'],
])('%s', (name, block, type) => {
  expect(describeSite(name)).toEqual({ block, type });
});
