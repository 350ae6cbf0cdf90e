import { CompressionError } from '@quern/core';
import type { CompressRequest } from '../compressRequest.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { type MaterialOptions, prepareMaterial } from '../open/prepareMaterial.ts';
import type { PreparedText } from '../open/prepareText.ts';

const OWN_TEXT = 'self';

/**
 * The texts that calibrate a study, by name: as many windows of each as the shortest has, so that none wins by its length. What the model
 * writes itself is written last, for it can be as long as the others.
 */
export async function prepareCalibrations(
  opened: OpenedModel,
  request: CompressRequest,
  names: readonly string[],
  options: Omit<MaterialOptions, 'isCalibrated'>,
): Promise<ReadonlyMap<string, PreparedText>> {
  const texts = new Map<string, PreparedText>();
  let { windows } = request.recipe.calibration;
  for (const name of names.toSorted((left, right) => Number(left === OWN_TEXT) - Number(right === OWN_TEXT))) {
    const recipe = { ...request.recipe, calibration: { ...request.recipe.calibration, data: name, windows } };
    const own = { ...request, recipe, evaluate: null };
    const { calibration } = await prepareMaterial(opened, own, { ...options, isCalibrated: true });
    if (calibration?.kind !== 'text') {
      throw new CompressionError('INVALID_OPTION', 'A study is calibrated on texts: it takes no --feeds.');
    }
    texts.set(name, calibration.text);
    windows = Math.min(windows, calibration.text.windows.length);
  }
  const cut = (text: PreparedText): PreparedText => ({ ...text, windows: text.windows.slice(0, windows) });
  return new Map(names.map(name => [name, cut(texts.get(name)!)]));
}
