import { gemm, type Matrix } from '@quern/linalg';
import { activationTypeOf, DataType, findLinearSites, node, type OnnxModel, type WeightStore } from '@quern/onnx';

const PATH = '/model/norm/rotation';

/**
 * Multiplies what a tied head reads by R^T diag(g) R, in place: the head's table is rotated like the embedding, and the gain of the
 * norm before it belongs to the channels that were.
 */
export async function addTiedRotation(
  model: OnnxModel,
  {
    gains,
    hidden,
    store,
  }: { readonly gains: Float32Array; readonly hidden: Matrix<Float32Array>; readonly store: WeightStore },
): Promise<void> {
  const graph = model.proto.graph!;
  const { rows: n, data } = hidden;
  const gained = { ...hidden, data: data.map((value, at) => value * gains[Math.floor(at / n)]!) };
  const product = await gemm(hidden, gained, { transposeA: true });
  const isHalf = activationTypeOf(model, findLinearSites(model)[0]!) === 'float16';
  const type = isHalf ? DataType.FLOAT16 : DataType.FLOAT;
  const bytes = new Uint8Array(isHalf ? Float16Array.from(product.data).buffer : product.data.buffer);
  const name = `${PATH.slice(1).replaceAll('/', '.')}.MatMul.weight`;
  graph.initializer.push(await store.add(name, type, [n, n], bytes));
  const at = graph.node.findIndex(other => other.name === '/lm_head/MatMul');
  const head = graph.node[at]!;
  const rotation = node('MatMul', [head.input[0]!, name], [`${PATH}/MatMul/output_0`], { name: `${PATH}/MatMul` });
  head.input[0] = rotation.output[0]!;
  graph.node.splice(at, 0, rotation);
}
