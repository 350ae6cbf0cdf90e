/**
 * The unbiased estimate of the chance that one of `k` samples passes: 1 - C(n - c, k) / C(n, k).
 *
 * Source: Chen et al., arXiv:2107.03374, equation 1, as the product of its listing 1, which does not overflow.
 * `samples` n >= k >= 1, `passed` c of them passed.
 */
export function passAtK(samples: number, passed: number, k: number): number {
  if (samples - passed < k) return 1;
  let allFail = 1;
  for (let count = samples - passed + 1; count <= samples; count++) allFail *= 1 - k / count;
  return 1 - allFail;
}
