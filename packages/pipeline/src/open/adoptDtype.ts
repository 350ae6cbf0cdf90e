import { CompressionError } from '@quern/core';
import { activationTypeOf, DataType, findLinearSites, siteDataType } from '@quern/onnx';
import type { Recipe } from '../recipe.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import type { OpenedModel } from './openModel.ts';

/**
 * The recipe with the arithmetic that an `.onnx` file has: graphs are built for a type only from a checkpoint.
 *
 * Errors: INVALID_OPTION when fp16 is asked of a float32 graph; UNSUPPORTED_MODEL for a planned site in another type.
 */
export function adoptDtype(opened: OpenedModel, plans: readonly SitePlan[], recipe: Recipe): Recipe {
  const { kind, model, path } = opened;
  if (kind === 'checkpoint') return recipe;
  for (const { site } of plans) activationTypeOf(model, site);
  const types = findLinearSites(model).map(site => siteDataType(model, site));
  const halves = types.filter(type => type === DataType.FLOAT16).length;
  const dtype = 2 * halves > types.length ? 'fp16' : 'fp32';
  if (recipe.dtype === 'fp16' && dtype === 'fp32') {
    throw new CompressionError(
      'INVALID_OPTION',
      `--dtype fp16: ${path} computes in float32, and an .onnx file keeps its arithmetic. Leave --dtype away, or compress the checkpoint.`,
      { path },
    );
  }
  return { ...recipe, dtype };
}
