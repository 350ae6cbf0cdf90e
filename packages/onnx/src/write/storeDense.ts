import { CompressionError, type DenseWeight } from '@quern/core';
import { transpose } from '@quern/linalg';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { ActivationType, WeightPlace } from './graphPiece.ts';
import type { StoredFactor } from './storeFactor.ts';

/**
 * Stores a dense matrix in float16 as MatMul reads it, `[inFeatures, outFeatures]`. Where the graph computes in float32 a
 * Cast follows, which the session folds at load: the file keeps two bytes a value.
 *
 * @throws CompressionError INVALID_SHAPE when the values do not fill the shape, SOLVER_FAILED for a value that float16
 *   does not hold exactly.
 * Cost: one pass; six bytes a value in memory.
 */
export async function storeDense(
  weight: DenseWeight,
  activationType: ActivationType,
  place: WeightPlace,
): Promise<StoredFactor> {
  const { store, names, weightName } = place;
  const { outFeatures, inFeatures } = weight;
  const halves = toHalves(weight, weightName);
  const dims = [inFeatures, outFeatures];
  const tensor = await store.add(
    names.take(`${weightName}_F16`),
    DataType.FLOAT16,
    dims,
    new Uint8Array(halves.buffer),
  );
  const nodes: StoredFactor['nodes'] = [];
  let matrix = tensor.name;
  if (activationType === 'float32') {
    matrix = names.take(`${tensor.name}_f32`);
    const attributes = { to: { int: DataType.FLOAT } };
    nodes.push(node('Cast', [tensor.name], [matrix], { name: names.take(`${matrix}/Cast`), attributes }));
  }
  return {
    nodes,
    initializers: [tensor],
    product: ({ input, output, nodeName, names: nodeNames }) =>
      node('MatMul', [input, matrix], [output], { name: nodeNames.take(`${nodeName}_F16`) }),
  };
}

function toHalves(weight: DenseWeight, weightName: string): Float16Array<ArrayBuffer> {
  const { outFeatures, inFeatures, data } = weight;
  if (data.length !== outFeatures * inFeatures) {
    const message = `The matrix for "${weightName}" has ${data.length} values; [${outFeatures}, ${inFeatures}] takes ${outFeatures * inFeatures}.`;
    throw new CompressionError('INVALID_SHAPE', message, { weight: weightName, outFeatures, inFeatures });
  }
  const turned = transpose({ rows: outFeatures, columns: inFeatures, data });
  const halves = new Float16Array(turned.data);
  for (let index = 0; index < halves.length; index++) {
    if (halves[index] === turned.data[index]) continue;
    const value = turned.data[index];
    const message = `The matrix for "${weightName}" holds ${value}, which float16 does not hold exactly. Its solver must round to float16.`;
    throw new CompressionError('SOLVER_FAILED', message, { weight: weightName, value });
  }
  return halves;
}
