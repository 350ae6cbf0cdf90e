export type { ByteSource, OpenSource } from './byteSource.ts';
export { checksum } from './checksum.ts';
export type { ClientCache } from './clientCache.ts';
export { halvesLayout } from './decodeTensor.ts';
export { type ExternalDataFile, externalData } from './externalData.ts';
export { openPacked, type PackedLocation } from './openPacked.ts';
export { type DecodeOptions, openPackedSource, type PackedModel } from './openPackedSource.ts';
export { PackedFileError, type PackedFileErrorCode } from './packedFileError.ts';
export {
  HEADER_BYTES,
  MAGIC,
  type PackedDataFile,
  type PackedEncoding,
  type PackedIndex,
  type PackedTensor,
  VERSION,
} from './packedIndex.ts';
export { type QuernCacheOptions, quernCache } from './quernCache.ts';
export { type ClientEnvironment, usePacked } from './usePacked.ts';
