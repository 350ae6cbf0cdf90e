import { CompressionError } from '@quern/core';
import { checkWebgpu } from '@quern/onnx';
import type { OpenedModel } from '../open/openModel.ts';
import type { Recipe } from '../recipe.ts';
import { GENAI_DATA, GENAI_GRAPH, prepareGenai, writeGenaiLayout } from './genaiLayout.ts';
import { transformersjsGraphName, writeTransformersjsLayout } from './transformersjsLayout.ts';

/** Where a result's files go in its folder, and what is written around them. */
export interface OutputLayout {
  /** Folder of graph and data inside the result, empty for its root. */
  readonly graphFolder: string;
  readonly graphName: string;
  readonly dataName: string;
  /** Writes everything around the graph into `target`. */
  finish(target: string, chunkCount: number): Promise<void>;
}

/**
 * The layout that a recipe asks for. `dtype` is the result's as transformers.js names it.
 *
 * Errors: INVALID_OPTION for packed files in a layout whose client cannot load them; those of `checkWebgpu` for that target; those of `prepareGenai`, so that a model for which a layout makes no sense is refused before it is worked on.
 */
export async function outputLayout(opened: OpenedModel, recipe: Recipe, dtype: string): Promise<OutputLayout> {
  if (recipe.target === 'webgpu') checkWebgpu(opened.model, 'say --target cpu, cuda or wasm');
  const source = opened.tokenizerFolder;
  const contextLength = opened.text?.contextLength ?? null;
  if (recipe.layout === 'genai') {
    if (recipe.storage === 'packed') {
      throw new CompressionError(
        'INVALID_OPTION',
        '--storage packed: onnxruntime-genai loads no packed files. Use packed-onnx or container, or another --layout.',
        { layout: recipe.layout },
      );
    }
    const config = await prepareGenai(opened, recipe.target);
    return {
      graphFolder: '',
      graphName: GENAI_GRAPH,
      dataName: GENAI_DATA,
      finish: target => writeGenaiLayout(source!, target, { config, contextLength }),
    };
  }
  const graphName = transformersjsGraphName(dtype);
  return {
    graphFolder: 'onnx',
    graphName,
    dataName: `${graphName}_data`,
    finish: (target, chunkCount) => writeTransformersjsLayout({ source, target, dtype, contextLength, chunkCount }),
  };
}
