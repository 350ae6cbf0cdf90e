import { copyRemaining, type OnnxModel, type WeightStore } from '@quern/onnx';
import picomatch from 'picomatch';
import type { Recipe } from '../recipe.ts';
import { compressEmbeddings, type EmbeddingReport } from '../solve/compressEmbeddings.ts';

/** Stores what no site is: embeddings and head at their own bits, then everything that stays as it is. */
export async function writeRest(
  model: OnnxModel,
  recipe: Recipe,
  store: WeightStore,
  heads: ReadonlySet<string>,
): Promise<EmbeddingReport[]> {
  const isExcluded = recipe.exclude.length > 0 ? picomatch([...recipe.exclude]) : () => false;
  const embeddings =
    recipe.method === 'none' ? [] : await compressEmbeddings(model, recipe, store, { isExcluded, heads });
  await copyRemaining(model, store, { fold: recipe.method === 'none' || recipe.dtype === 'fp16' });
  return embeddings;
}
