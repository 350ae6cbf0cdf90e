import { blockInName } from './blockInName.ts';
import type { ScannedSite } from './scanSites.ts';

/** `MatMul`, `Gemm_12`, `onnx::MatMul_345`, `node_7`, `12`: names that exporters count out and that tell nothing. */
const COUNTED_NAME = /^(onnx::|n_)?(MatMul|Gemm|node|n|op|val|t|w|weight|const|Constant|initializer)?_?\d*$/i;
/** Endings that say what kind of thing the name belongs to. */
const NODE_ENDING = /[/.](MatMul|Gemm|linear)(_F16)?(_\d+)?$/i;
const WEIGHT_ENDING = /([/._](MatMul[/._])?(weight|kernel|w))?(_(T|transposed|quantized|F16))?(:0)?$/i;

/**
 * A readable name for every site, unique in the model: from the node's name where it tells something
 * (`/model/layers.0/attn/q_proj/MatMul` -> `model.layers.0.attn.q_proj`), else from the weight's, else the node's key.
 */
export function siteNames(sites: readonly ScannedSite[]): string[] {
  const taken = new Set<string>();
  return sites.map(site => {
    const base = baseName(site);
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}~${count}`;
    taken.add(name);
    return name;
  });
}

/** A node's name without the ending: `/proj/MatMul` -> `/proj`. */
export function nodeStem(name: string): string {
  return name.replace(NODE_ENDING, '');
}

/** A weight's name without the ending: `proj.MatMul.weight` -> `proj`. */
export function weightStem(name: string): string {
  return name.replace(WEIGHT_ENDING, '');
}

function baseName(site: ScannedSite): string {
  const path = dotted(site.scope.path);
  const prefix = path === '' ? '' : `${path}.`;
  const fromNode = dotted(nodeStem(site.node.name));
  const fromWeight = dotted(weightStem(site.weight.name));
  const weightTellsMore = blockInName(fromNode) === null && blockInName(fromWeight) !== null;
  if (!COUNTED_NAME.test(fromNode) && !weightTellsMore) return prefix + fromNode;
  if (!COUNTED_NAME.test(fromWeight)) return prefix + fromWeight;
  return dotted(site.key) || 'site';
}

function dotted(name: string): string {
  return name.replace(/^\/+|\/+$/g, '').replaceAll('/', '.');
}
