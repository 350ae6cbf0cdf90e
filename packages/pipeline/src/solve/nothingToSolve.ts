import { countOperators, findEmbeddings, findLinearSites, type OnnxModel } from '@quern/onnx';

/** Operators that hold weights which are no linear sites. */
const OTHER_WEIGHTS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'LSTM',
  'GRU',
  'RNN',
  'Attention',
  'Einsum',
]);

/** Why there is nothing to compress in a model, in words for the user; null when there is something. */
export function nothingToSolve(model: OnnxModel): string | null {
  if (findLinearSites(model).length > 0 || findEmbeddings(model).length > 0) return null;
  const others = countOperators(model).filter(({ name }) => OTHER_WEIGHTS.has(name));
  const list = others.map(({ name, count }) => `${name} (${count})`).join(', ');
  const weights = list === '' ? '' : `; its weights are those of ${list}`;
  return `The model has no linear layer, a MatMul or Gemm with a constant weight${weights}: it is written as it is.`;
}
