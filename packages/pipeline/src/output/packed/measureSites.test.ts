import { expect, it } from 'vitest';
import type { SiteReport } from '../../compressRequest.ts';
import { measureSites } from './measureSites.ts';
import type { PackedSize } from './packGraph.ts';

it('shares out what packing saves of a factor that sites have in common', () => {
  const site = (name: string, tensors: readonly string[], sharedFactor?: string): SiteReport => ({
    ...{ name, solver: 'dictionary', nominalBits: 16, groupSize: null, storageBits: 2000, tensors },
    ...{ relativeOutputError: 0, relativeWeightError: 0, durationMs: 0 },
    ...(sharedFactor === undefined ? {} : { sharedFactor }),
  });
  const masked = { encoding: 'sparse', bytes: 20, planeBytes: 20, containerBytes: 100 } as const;
  const raw = { encoding: 'raw', bytes: 60, planeBytes: 60, containerBytes: 60 } as const;
  const sizes = new Map<string, PackedSize>([
    ['k.left', raw],
    ['v.left', raw],
    ['basis_F16', masked],
    ['o.right', masked],
  ]);
  const measured = measureSites(
    [site('k', ['k.left', 'basis_F16'], 'basis'), site('v', ['v.left'], 'basis'), site('o', ['o.right'])],
    sizes,
  );
  const packed = (storageBits: number) => ({
    storageBits,
    packed: { encoding: 'sparse', containerBits: 2000, planeBits: storageBits },
  });
  expect(measured).toMatchObject([packed(2000 - 320), packed(2000 - 320), packed(2000 - 640)]);
});
