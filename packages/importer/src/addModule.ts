import { addNorm, type NormedSum, type NormOptions } from './addNorm.ts';
import type { ModuleNorms, NormWeight } from './bindWeights.ts';
import type { FloatType, GraphDraft } from './graphDraft.ts';

/** The hidden state, and what the last module gave that is still to be added to it. */
export interface HiddenState {
  readonly residual: string;
  readonly update: string | null;
}

export interface ModuleOptions {
  /** Node folder of the block, such as `/model/layers.0`. */
  readonly root: string;
  /** Of the module's nodes in that folder. */
  readonly name: 'attn' | 'mlp';
  readonly norms: ModuleNorms;
  /** How every norm of the hidden state works; `type` is the hidden state's. */
  readonly norm: Omit<NormOptions, 'path' | 'weight'> & { readonly type: FloatType };
  /** Writes the module between the norms, in the compute type. */
  readonly compute: (input: string) => string;
  /** What is added to the hidden state is multiplied by it. */
  readonly factor: number;
}

/** Writes attention or feed-forward with what stands around it: h + factor after(module(before(h))), the sum left to the next norm. */
export function addModule(draft: GraphDraft, state: HiddenState, options: ModuleOptions): HiddenState {
  const { root, name, norms, norm, compute, factor } = options;
  const path = `${root}/${name}`;
  const normed = (input: HiddenState, own: NormWeight | null): NormedSum => {
    if (own) return addNorm(draft, input, { ...norm, path: `${root}/${own.module}`, weight: own.weight });
    const { residual, update } = input;
    const sum = update === null ? residual : draft.add(`${path}/residual/Add`, 'Add', [residual, update]);
    return { normed: sum, residual: sum };
  };
  const outside = norm.type;
  const inside = draft.computeType;
  const before = normed(state, norms.before);
  const given = compute(draft.cast(before.normed, `${path}/narrow`, { from: outside, to: inside }));
  const update = draft.cast(given, `${path}/widen`, { from: inside, to: outside });
  const result = normed({ residual: update, update: null }, norms.after).normed;
  if (factor === 1) return { residual: before.residual, update: result };
  const scaled = draft.add(`${path}/factor/Mul`, 'Mul', [result, draft.scalar(factor, outside)]);
  return { residual: before.residual, update: scaled };
}
