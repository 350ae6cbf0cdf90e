import { DataType } from '@quern/onnx';
import { addWeight } from './addWeight.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import type { DraftNodeOptions, GraphDraft } from './graphDraft.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

export interface HeadOptions {
  readonly config: Pick<DecoderConfig, 'logitDivisor' | 'softcaps'>;
  /** The head's own weight, or null to use `embedding`. */
  readonly head: StoredTensor | null;
  /** The value `[vocabularySize, hiddenSize]` in the compute type. */
  readonly embedding: string;
}

/**
 * Writes the `logits` output, float32 whatever the compute type: the product, divided and bounded where the config says so.
 *
 * @param input value `[batch, sequence, hiddenSize]`, normalised and in the caller's order
 */
export function addHead(draft: GraphDraft, input: string, { config, head, embedding }: HeadOptions): void {
  const { logitDivisor, softcaps } = config;
  const root = '/lm_head';
  const weight = head ? addWeight(draft, head, 'lm_head.MatMul.weight') : embedding;
  const transposed = draft.add(`${root}/Transpose`, 'Transpose', [weight], { attributes: { perm: { ints: [1, 0] } } });
  const number = (value: number): string => draft.scalar(value, DataType.FLOAT);
  const steps: [name: string, opType: string, others: readonly string[], options?: DraftNodeOptions][] = [
    ['MatMul', 'MatMul', [transposed]],
  ];
  if (draft.computeType !== DataType.FLOAT) {
    steps.push(['Cast', 'Cast', [], { attributes: { to: { int: DataType.FLOAT } } }]);
  }
  if (logitDivisor !== 1) steps.push(['Div', 'Div', [number(logitDivisor)]]);
  if (softcaps.logits !== null) {
    const cap = number(softcaps.logits);
    steps.push(['softcap/Div', 'Div', [cap]], ['softcap/Tanh', 'Tanh', []], ['softcap/Mul', 'Mul', [cap]]);
  }
  let value = input;
  for (const [at, [name, opType, others, options = {}]] of steps.entries()) {
    const outputs = at === steps.length - 1 ? { outputs: ['logits'] } : {};
    value = draft.add(`${root}/${name}`, opType, [value, ...others], { ...options, ...outputs });
  }
}
