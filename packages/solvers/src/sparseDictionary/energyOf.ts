import { gemm } from '@quern/linalg';
import type { SharingSite } from './sharingSite.ts';

/** ||W X||_F^2. */
export async function energyOf({ weight, gram }: SharingSite): Promise<number> {
  const weighted = await gemm(weight, gram);
  return weighted.data.reduce((sum, value, index) => sum + value * weight.data[index]!, 0);
}
