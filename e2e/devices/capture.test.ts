import { importCheckpoint } from '@quern/importer';
import { findBlockCuts, findLinearSites, type OnnxModel } from '@quern/onnx';
import { type Device, openForward, readSums, sumOutputs, withSums } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { recordFigures } from '../../tools/gpu/recordFigures.ts';
import { useGpu } from '../../tools/gpu/useGpu.ts';
import { demo } from '../runQuern.ts';

const gpu = await useGpu();
const windowLength = gpu?.kind === 'hardware' ? 256 : 6;
const windowCount = gpu?.kind === 'hardware' ? 8 : 1;
const ids = Array.from({ length: windowCount }, (_, window) =>
  Int32Array.from({ length: windowLength }, (_, token) => 3 + ((window * 131 + token * token * 17) % 900)),
);

/** Statistics of what the first block reads. */
async function sumsOn(device: Device, model: OnnxModel) {
  const sites = findLinearSites(model).filter(({ name }) => /layers\.0\./.test(name));
  const widths = new Map(sites.map(site => [site.inputName, site.inFeatures]));
  const forward = await openForward(withSums(model, widths), { device });
  try {
    const started = performance.now();
    const sums = readSums(await forward.run({ kind: 'text', ids }, {}, sumOutputs(widths)), widths);
    return { sums, durationMs: performance.now() - started };
  } finally {
    await forward.close();
  }
}

describe.skipIf(gpu === null)('statistics with WebGPU', () => {
  it('are those of the CPU, to single precision', async () => {
    const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
    expect(findBlockCuts(model)).not.toBeNull();
    const cpu = await sumsOn('cpu', model);
    const webgpu = await sumsOn('webgpu', model);
    expect(webgpu.sums.size).toBe(4);
    for (const [name, expected] of cpu.sums) {
      const actual = webgpu.sums.get(name)!;
      expect(actual.tokenCount).toBe(windowCount * windowLength);
      expect(distance(actual.gram, expected.gram)).toBeLessThan(1e-5);
      expect(distance(actual.absolute, expected.absolute)).toBeLessThan(1e-5);
    }
    await recordFigures(gpu, 'first capture, ms', { cpu: cpu.durationMs, webgpu: webgpu.durationMs });
  });
});

/** ||a - b|| / ||b||. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (let index = 0; index < b.length; index++) {
    difference += (a[index]! - b[index]!) ** 2;
    norm += b[index]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
