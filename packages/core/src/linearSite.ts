/** Where one linear weight sits in a graph. y = x W^T with W `[outFeatures, inFeatures]`, whatever the graph stores. */
export interface LinearSite {
  /** Unique and stable, from the node's name: `model.layers.0.attn.q_proj`. */
  readonly name: string;
  /** Index of the decoder block, null for what stands outside (embedding, head, third-party stems). */
  readonly block: number | null;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** Name of the MatMul or Gemm node that multiplies by the weight. */
  readonly nodeName: string;
  /** Name of the initializer that stores the weight. */
  readonly weightName: string;
  /** Name of the activation the node reads. */
  readonly inputName: string;
  /** Sites with the same activation carry the same group and share one Gram. */
  readonly sharedInputGroup: string;
}
