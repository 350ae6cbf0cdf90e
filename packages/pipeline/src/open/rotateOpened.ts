import { CompressionError } from '@quern/core';
import { checkRotatable, rotateDecoder } from '@quern/importer';
import { createWeightStore } from '@quern/onnx';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import type { Recipe } from '../recipe.ts';
import { exitFolder } from './exitFolder.ts';
import type { OpenedModel } from './openModel.ts';

/**
 * The model in a rotated basis where the recipe asks for that (see `rotateDecoder`), else as it is. Its weights lie in a temporary folder
 * until the process ends, in float32 where the graph computes in it.
 *
 * Errors: those of `checkRotation` and of the store; INTERRUPTED.
 */
export async function rotateOpened(
  opened: OpenedModel,
  { rotate, seed }: Pick<Recipe, 'rotate' | 'seed'>,
  { emit, signal }: { readonly emit: Emit; readonly signal?: AbortSignal | undefined },
): Promise<OpenedModel> {
  if (rotate === false) return opened;
  checkRotation(opened, rotate);
  emit({ kind: 'stage', stage: 'rotate', detail: `random rotations, seed ${seed}` });
  const folder = await exitFolder('rotated');
  // The graph names the seed: two rotations are two models.
  const store = createWeightStore({ folder, fileName: `rotated-${seed}.data` });
  const onTensor = (done: number, total: number): void => {
    checkInterrupted(signal);
    emit({ kind: 'progress', stage: 'rotate', done, total, unit: 'tensors' });
  };
  try {
    const model = await rotateDecoder(opened.model, { seed, store, onTensor });
    await store.close();
    return { ...opened, model };
  } catch (error) {
    await store.abort();
    throw asWriteFailure(error, folder);
  }
}

/** Errors: INVALID_OPTION for a model of which it is not known what each weight reads and writes; those of `checkRotatable`. */
export function checkRotation({ kind, model, path }: OpenedModel, rotate: Recipe['rotate']): void {
  if (rotate === false) return;
  if (kind === 'checkpoint') {
    checkRotatable(model);
    return;
  }
  throw new CompressionError(
    'INVALID_OPTION',
    `--rotate ${rotate}: ${path} is a graph, of which nothing tells what each weight reads and writes. Pass the checkpoint's folder (config.json and safetensors), or leave --rotate away.`,
    { path },
  );
}

/** Errors: INVALID_OPTION for `auto`, which one compression decides for itself. */
export function refuseAuto({ rotate }: Pick<Recipe, 'rotate'>): void {
  if (rotate !== 'auto') return;
  throw new CompressionError(
    'INVALID_OPTION',
    '--rotate auto: only compress decides that, by trying both; say true or false here.',
    { rotate },
  );
}
