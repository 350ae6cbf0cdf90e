import type { QuantizedWeight } from './compressedWeight.ts';

/** How a quantised weight lies in the tensors that ONNX Runtime's n-bit kernels read. */
export interface ContainerLayout {
  /** Width of a stored code: the smallest of 2, 4, 8 that holds the grid. */
  readonly containerBits: 2 | 4 | 8;
  /** Inputs in a kernel block: a power of two, 16..256. */
  readonly kernelBlock: number;
  /** Kernel blocks per output; `kernelBlock * blockCount` is the padded number of inputs. */
  readonly blockCount: number;
  /** Scales stored per output: one per block, or 1 for per channel, repeated by the graph at load. */
  readonly storedScales: number;
}

const KERNEL_BLOCKS = [256, 128, 64, 32, 16];

/**
 * Chooses the container of a quantised weight.
 *
 * A grouped weight takes its group as the kernel's block. A per-channel weight stores one scale per output and takes the
 * largest block with the least padding. 2-bit kernels are fast with blocks of 32, 64 and 128 only, so per channel uses those.
 */
export function containerLayout(weight: Pick<QuantizedWeight, 'bits' | 'groupSize' | 'inFeatures'>): ContainerLayout {
  const containerBits = weight.bits <= 2 ? 2 : weight.bits <= 4 ? 4 : 8;
  const perChannel = weight.groupSize >= weight.inFeatures;
  const kernelBlock = perChannel ? leastPadding(weight.inFeatures, containerBits) : weight.groupSize;
  const blockCount = Math.ceil(weight.inFeatures / kernelBlock);
  return { containerBits, kernelBlock, blockCount, storedScales: perChannel ? 1 : blockCount };
}

function leastPadding(inFeatures: number, containerBits: number): number {
  const candidates = containerBits === 2 ? [128, 64, 32] : KERNEL_BLOCKS;
  let best = candidates[0]!;
  for (const block of candidates) {
    if (Math.ceil(inFeatures / block) * block < Math.ceil(inFeatures / best) * best) best = block;
  }
  return best;
}
