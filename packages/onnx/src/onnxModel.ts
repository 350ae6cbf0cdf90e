import type { ModelProto } from './generated/onnx_pb.js';

/**
 * A model in memory: the header as decoded, and the folder in which the locations of external data resolve.
 * Functions that edit a model (`replaceSite`, `copyRemaining`, ...) change `proto` in place; take `cloneModel` first to
 * keep the original.
 */
export interface OnnxModel {
  readonly proto: ModelProto;
  readonly folder: string;
}
