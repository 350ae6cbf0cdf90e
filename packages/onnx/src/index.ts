export { floatOf, intOf } from './attributeValue.ts';
export { type AttributeValue, attribute } from './build/attribute.ts';
export { createModel, type ModelParts } from './build/createModel.ts';
export { type ExternalTensor, externalInitializer } from './build/externalInitializer.ts';
export {
  float16Initializer,
  floatInitializer,
  inlineInitializer,
  int64Initializer,
} from './build/inlineInitializer.ts';
export { type NodeOptions, node } from './build/node.ts';
export { tensorInput } from './build/tensorInput.ts';
export { countOperators } from './countOperators.ts';
export { DataType, dataTypeName, elementBits } from './dataType.ts';
export { copyMessage } from './edit/copyMessage.ts';
export { extractSubmodel } from './edit/extractSubmodel.ts';
export { fuseTransposes } from './edit/fuseTransposes.ts';
export { halveAttention } from './edit/halveAttention.ts';
export { lookUpBeforeCast } from './edit/lookUpBeforeCast.ts';
export { renameExternalData } from './edit/renameExternalData.ts';
export { elementTypeOf } from './elementTypeOf.ts';
export type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from './generated/onnx_pb.js';
export { modelTensors } from './modelTensors.ts';
export type { OnnxModel } from './onnxModel.ts';
export { parseModel } from './read/parseModel.ts';
export { readFloats } from './read/readFloats.ts';
export { type ReadOptions, readOnnxModel } from './read/readOnnxModel.ts';
export { readTensor, streamTensor, type TensorContent } from './read/readTensor.ts';
export { sliceRows } from './read/sliceRows.ts';
export { tensorSize } from './read/tensorSize.ts';
export { activationTypeOf } from './sites/activationTypeOf.ts';
export { canCapture } from './sites/canCapture.ts';
export { checkWebgpu } from './sites/checkWebgpu.ts';
export { type BlockCut, findBlockCuts } from './sites/findBlockCuts.ts';
export { type EmbeddingSite, findEmbeddings } from './sites/findEmbeddings.ts';
export { findHead, type SlicedHead } from './sites/findHead.ts';
export { findLinearSites } from './sites/findLinearSites.ts';
export { findStoredCodes, type StoredCodes } from './sites/findStoredCodes.ts';
export { isEntrywise } from './sites/isEntrywise.ts';
export { isQuantized } from './sites/isQuantized.ts';
export { openEmbedding, openWeight, type StoredRows } from './sites/openRows.ts';
export { readWeight } from './sites/readWeight.ts';
export { siteDataType } from './sites/siteDataType.ts';
export { cloneModel } from './write/cloneModel.ts';
export { copyRemaining } from './write/copyRemaining.ts';
export { createInlineStore } from './write/createInlineStore.ts';
export { foldInputScale, foldsInputScale } from './write/foldInputScale.ts';
export type { ActivationType, KernelOptions } from './write/graphPiece.ts';
export { openWhileWriting } from './write/openWhileWriting.ts';
export { type EmbeddingReplacement, replaceEmbedding } from './write/replaceEmbedding.ts';
export { type HeadReplacement, replaceHead } from './write/replaceHead.ts';
export { replaceSite, type SiteReplacement } from './write/replaceSite.ts';
export { scaleProducer } from './write/scaleProducer.ts';
export { serializeModel } from './write/serializeModel.ts';
export { storeMasked } from './write/storeMasked.ts';
export { storePlanes } from './write/storePlanes.ts';
export { createWeightStore, type WeightStore, type WeightStoreOptions } from './write/weightStore.ts';
export { withAccuracyLevel } from './write/withAccuracyLevel.ts';
export { writeOnnxModel } from './write/writeOnnxModel.ts';
