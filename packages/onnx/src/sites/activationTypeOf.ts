import { CompressionError, type LinearSite } from '@quern/core';
import { DataType, dataTypeName } from '../dataType.ts';
import type { OnnxModel } from '../onnxModel.ts';
import type { ActivationType } from '../write/graphPiece.ts';
import { siteDataType } from './siteDataType.ts';

/**
 * The element type that a site reads and writes, as its weight arrives at the node.
 *
 * @throws CompressionError UNSUPPORTED_MODEL for types that the n-bit kernels do not take, MISSING_TENSOR as `locateSite`.
 */
export function activationTypeOf(model: OnnxModel, site: LinearSite): ActivationType {
  const dataType = siteDataType(model, site);
  if (dataType === DataType.FLOAT) return 'float32';
  if (dataType === DataType.FLOAT16) return 'float16';
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `${site.name} computes in ${dataTypeName(dataType)}; the n-bit kernels take FLOAT and FLOAT16. Leave it out with --exclude '${site.name}', or convert the model.`,
    { site: site.name, dataType },
  );
}
