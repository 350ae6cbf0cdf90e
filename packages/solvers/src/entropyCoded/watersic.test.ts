import { countCodes, encodeCodes, fitCodeTables, packBlocks } from '@quern/coder';
import { containerLayout, type InputStatistics, type QuantizedWeight, reconstruct } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { gptq } from '../quantization/gptq.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { watersic } from './watersic.ts';

const [OUTPUTS, INPUTS] = [320, 256];

/** About normal: sums of four uniform values. */
function normalWeight(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  const parts = [0, 1, 2, 3].map(part => randomWeight(rows, columns, 10 * seed + part, 0.05).data);
  const data = Float32Array.from({ length: rows * columns }, (_, at) => parts.reduce((sum, own) => sum + own[at]!, 0));
  return { rows, columns, data };
}

const statistics = statisticsOf(randomActivations(600, INPUTS));
const weight = normalWeight(OUTPUTS, INPUTS, 1);

/** What the codes and row scales of one weight take when they are packed, in bits per weight; a row scale at its digits. */
function packedBits(site: QuantizedWeight, scaleBits: number): number {
  const { containerBits, kernelBlock } = containerLayout(site);
  const shape = { rows: site.outFeatures, columns: site.inFeatures, blockSize: kernelBlock, bits: containerBits };
  const bytes = packBlocks(site.codes, { ...shape, codeOffset: 0, padCode: 2 ** (containerBits - 1) });
  const layout = { ...shape, padCode: 2 ** (containerBits - 1) };
  const tables = fitCodeTables([countCodes(bytes, layout)], { maximum: 64 });
  const stream = encodeCodes(bytes, layout, tables);
  return (8 * stream.length + scaleBits * site.outFeatures) / site.codes.length;
}

describe('watersic', () => {
  it.each([1.5, 2.25, 3, 4.5])('takes %s stored bits per weight', async bits => {
    const [site] = await watersic([{ weight, options: { bits, inputScaleBits: 0 } }], statistics);
    const digits = Math.min(10, Math.ceil(bits) + 2);
    expect(Math.abs(packedBits(site!, digits + 1) - bits)).toBeLessThan(0.01);
    expect(site!.bits).toBe(bits < 2 ? 4 : site!.bits);
  });

  it('is below gptq with three quarters of a bit less', async () => {
    const fixed = await gptq(weight, statistics, { bits: 3, groupSize: 32 });
    const [coded] = await watersic([{ weight, options: { bits: 2.75 } }], statistics);
    const errorOf = async (site: QuantizedWeight): Promise<number> =>
      relativeOutputError(weight, await reconstruct(site), statistics.inputGram);
    expect(await errorOf(coded!)).toBeLessThan(await errorOf(fixed)); // 2.75 bits against 3.5
  });

  it('gives all sites of an input the same input scale, each its own rate', async () => {
    const other = normalWeight(64, INPUTS, 2);
    const sites = [
      { weight, options: { bits: 2 } },
      { weight: other, options: { bits: 4 } },
    ];
    const [first, second] = await watersic(sites, statistics);
    expect(first!.inputScale).toEqual(second!.inputScale);
    expect(first!.inputScale!.every(step => Math.f16round(step) === step && step > 0)).toBe(true);
    const errors = [
      await relativeOutputError(weight, await reconstruct(first!), statistics.inputGram),
      await relativeOutputError(other, await reconstruct(second!), statistics.inputGram),
    ];
    expect(errors[1]).toBeLessThan(errors[0]! / 2);
  });

  it('makes up for an input that has drifted', async () => {
    const original = randomActivations(600, INPUTS);
    const drift = randomWeight(600, INPUTS, 77, 0.8).data;
    // Each input is damped and gets a share of its neighbour: what a weight can undo.
    const data = original.data.map((value, at) => 0.8 * value + 0.3 * (original.data[at - 1] ?? 0) + drift[at]!);
    const inputs = { ...original, data };
    const crossGram = await gemm(doubled(original), doubled(inputs), { transposeA: true });
    const drifted: InputStatistics = { ...statisticsOf(inputs), crossGram };
    const { crossGram: _, ...plain } = drifted;
    const outputError = async (given: InputStatistics): Promise<number> => {
      const [site] = await watersic([{ weight, options: { bits: 3 } }], given);
      const wanted = await gemm(original, weight, { transposeB: true });
      const found = await gemm(inputs, await reconstruct(site!), { transposeB: true });
      let [error, size] = [0, 0];
      for (let at = 0; at < wanted.data.length; at++) {
        error += (wanted.data[at]! - found.data[at]!) ** 2;
        size += wanted.data[at]! ** 2;
      }
      return Math.sqrt(error / size);
    };
    expect(await outputError(drifted)).toBeLessThan(0.75 * (await outputError(plain)));
    // The same input twice is no drift.
    const still = await watersic([{ weight, options: { bits: 3 } }], {
      ...statistics,
      crossGram: statistics.inputGram,
    });
    const [expected] = await watersic([{ weight, options: { bits: 3 } }], statistics);
    const differing = still[0]!.codes.filter((code, at) => code !== expected!.codes[at]).length;
    expect(differing).toBeLessThan(0.001 * expected!.codes.length);
  });
});

function doubled(matrix: Matrix<Float32Array>): Matrix<Float64Array> {
  return { ...matrix, data: Float64Array.from(matrix.data) };
}
