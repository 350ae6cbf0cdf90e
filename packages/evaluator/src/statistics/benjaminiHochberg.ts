/**
 * p-values adjusted for being many: calling those at or below q significant keeps the expected share of false ones among them at q.
 *
 * With the i-th smallest of m, adjusted_i = min over j >= i of m p_j / j, at most 1. Source: Benjamini and Hochberg, J. R. Statist.
 * Soc. B 57 (1995), the step-up procedure of section 3.1; holds for independent tests and for those of positive dependence.
 *
 * Returns them in the order of `pValues`. Cost: a sort.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((left, right) => pValues[right]! - pValues[left]!);
  const adjusted = new Array<number>(pValues.length);
  let smallest = 1;
  for (const [place, index] of order.entries()) {
    const rank = pValues.length - place;
    smallest = Math.min(smallest, (pValues.length * pValues[index]!) / rank);
    adjusted[index] = smallest;
  }
  return adjusted;
}
