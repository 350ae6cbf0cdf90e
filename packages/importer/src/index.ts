export type { AttentionBias, DecoderConfig, RopeScaling } from './decoderConfig.ts';
export { type ImportedModel, importCheckpoint } from './importCheckpoint.ts';
export { needsBos } from './needsBos.ts';
export { type CheckpointTensors, readCheckpointTensors } from './readCheckpointTensors.ts';
export { readDecoderConfig } from './readDecoderConfig.ts';
export { readSafetensorsHeader, type StoredTensor } from './readSafetensorsHeader.ts';
export { checkRotatable } from './rotate/checkRotatable.ts';
export { type RotateOptions, rotateDecoder } from './rotate/rotateDecoder.ts';
