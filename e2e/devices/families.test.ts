import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import { type Device, openForward } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useGpu } from '../../tools/gpu/useGpu.ts';
import { writeSyntheticCheckpoint } from '../../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { demo } from '../runQuern.ts';
import { families } from '../smallFamilies.ts';

const gpu = await useGpu();
/** Longer than the windows of attention, shorter than every context. */
const ids = [Int32Array.from({ length: 30 }, (_, token) => 3 + ((token * token * 17) % 900))];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-families-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(gpu === null)('WebGPU', () => {
  it.each(Object.entries(families))(
    'computes what the CPU computes, or is refused: %s',
    async (name, { shape, webgpu }) => {
      await writeSyntheticCheckpoint(join(folder, name), shape, demo);
      const { model } = await importCheckpoint(join(folder, name), { dtype: 'fp32' });
      const logitsOn = async (device: Device): Promise<Float32Array> => {
        const forward = await openForward(model, { device });
        try {
          return (await forward.run({ kind: 'text', ids }, {}, ['logits'])).logits!.data as Float32Array;
        } finally {
          await forward.close();
        }
      };
      if (webgpu) return expect(logitsOn('webgpu')).rejects.toThrow(/WebGPU kernel passes over.*say --device cpu/);
      const [expected, actual] = [await logitsOn('cpu'), await logitsOn('webgpu')];
      const largest = Math.max(...expected.map(Math.abs));
      expect(Math.max(...expected.map((value, at) => Math.abs(value - actual[at]!)))).toBeLessThan(1e-5 * largest);
    },
  );
});
