/** Where a session runs: an execution provider of ONNX Runtime. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

/** Every device, the fastest first: the order in which `auto` tries them. */
export const DEVICES: readonly Device[] = ['cuda', 'webgpu', 'cpu'];
