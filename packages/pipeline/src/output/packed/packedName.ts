/** `model_q4.onnx` -> `model_q4.quern`, for names and paths. */
export function packedName(graph: string): string {
  return graph.replace(/\.onnx$/, '.quern');
}
