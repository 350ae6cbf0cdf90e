import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';

/** Gains over what a module gives, a number a channel: they belong to channels that a rotation would mix. */
const OUTPUT_NORM = /\.post_feedforward_layernorm\.weight$/;

/** Throws UNSUPPORTED_MODEL for an imported decoder into whose weights no rotation of the hidden state can be folded. */
export function checkRotatable({ proto, folder }: OnnxModel): void {
  const norm = proto.graph?.initializer.find(({ name }) => OUTPUT_NORM.test(name))?.name;
  if (norm === undefined) return;
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `--rotate: the blocks of the model in ${folder} normalise what attention and feed-forward give, by gains of the channels (${norm}), which a rotation of the hidden state would mix; it cannot be folded into the weights. Leave --rotate away.`,
    { folder, norm },
  );
}
