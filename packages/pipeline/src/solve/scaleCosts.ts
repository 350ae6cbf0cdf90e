import { type BlockCut, foldsInputScale, type OnnxModel, scaleProducer } from '@quern/onnx';
import { type SitePlan, solverOf } from './sitePlan.ts';

/**
 * Plans of solvers that give input scales, told where theirs cost nothing in the file: where they fold into a norm, or into the row
 * scales of another plan of the same kind. All other plans stay as they are.
 */
export function scaleCosts(model: OnnxModel, plans: readonly SitePlan[], cuts: readonly BlockCut[] | null): SitePlan[] {
  const carried = new Set(cuts?.flatMap(cut => cut.inputNames));
  const shares = plans.filter(plan => solverOf(plan).scalesInput);
  const nodes = new Set(shares.map(plan => plan.site.nodeName));
  const folding = new Set<string>();
  for (const [input, readers] of Map.groupBy(shares, plan => plan.site.inputName)) {
    // Two methods give two scales.
    if (carried.has(input) || new Set(readers.map(plan => plan.solver)).size > 1) continue;
    const sites = readers.map(plan => plan.site);
    const producer = sites.length === 1 ? scaleProducer(model, sites[0]!) : null;
    if (foldsInputScale(model, sites) || (producer !== null && nodes.has(producer.nodeName))) folding.add(input);
  }
  return plans.map(plan => {
    const folds = folding.has(plan.site.inputName) && solverOf(plan).scalesInput;
    return folds ? { ...plan, options: { ...plan.options, inputScaleBits: 0 } } : plan;
  });
}
