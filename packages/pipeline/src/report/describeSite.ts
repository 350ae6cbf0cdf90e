/** Where a site stands: in which decoder block, and what it does there. */
export interface SiteDescription {
  /** Null for a site outside the blocks. */
  readonly block: number | null;
  /** `q_proj`, `down_proj`, ...: the words of the name that are not the operator's or the block's. */
  readonly type: string;
}

const OPERATOR = /^(?:MatMul|Gemm|Conv|weight|Cast|Transpose|node)(?:_\w*)?$/i;
const BLOCK = /(?:^|[/._])(?:layers?|blocks?|h|decoder_layers?)[/._](\d+)(?=[/._]|$)/i;

/** Reads block and type from a node name such as `/model/layers.3/attn/q_proj/MatMul`; only for show. */
export function describeSite(name: string): SiteDescription {
  const match = BLOCK.exec(name);
  const rest = match ? name.slice(match.index + match[0].length) : name;
  const words = rest.split(/[/.]/).filter(word => word !== '' && !OPERATOR.test(word));
  return { block: match ? Number(match[1]) : null, type: words.at(-1) ?? (rest || name) };
}
