import { openSession, runSession, textFeeds } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { LOSS } from './lossNodes.ts';
import { tableModel } from './testSupport/tableModel.ts';
import { withLoss } from './withLoss.ts';

describe('withLoss', () => {
  // The form for WebGPU is made of standard operators, so the CPU can check it.
  it.each([11, 13, 17, 18, 21])('writes the same loss for WebGPU, operator set %i', async opset => {
    const table = [
      [100, 101, 99],
      [-80, -80, -85],
    ];
    const session = await openSession(withLoss(tableModel(table, { opset }), 'webgpu'), { device: 'cpu' });
    const targets = new Tensor('int32', Int32Array.of(2, 0), [1, 2, 1]);
    const feeds = textFeeds(session, { ids: [Int32Array.of(0, 1)], others: { [LOSS.targets]: targets } });
    const nll = (await runSession(session, feeds, 'the model'))[LOSS.nll]!;
    expect(nll.dims).toEqual([1, 2, 1]);
    expect(nll.data[0]).toBeCloseTo(1 + Math.log(1 + Math.E + 1 / Math.E), 5);
    expect(nll.data[1]).toBeCloseTo(Math.log(2 + Math.exp(-5)), 5);
    await session.release();
  });
});
