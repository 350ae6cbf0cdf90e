import { DataType } from '@quern/onnx';
import { expect, it } from 'vitest';
import { generateWindows } from './generateWindows.ts';
import { openSession } from './openSession.ts';
import { sumDecoder, VOCABULARY } from './testSupport/sumDecoder.ts';

/** Hardly any chance is left: the logits of other tokens are -1 and less. */
const common = { windowLength: 12, beginId: 3, temperature: 1e-3, seeds: [5] };

/** What `sumDecoder` writes, with texts that end. */
function naiveWindow(beginId: number, endIds: ReadonlySet<number>): number[] {
  const text = [beginId];
  while (text.length < common.windowLength) {
    const next = (text.reduce((sum, id) => sum + id, 0) + 2 * text.length - 1) % VOCABULARY;
    text.push(endIds.has(next) ? beginId : next);
  }
  return text;
}

it.each([
  ['with a float32 cache', true, DataType.FLOAT],
  ['with a float16 cache', true, DataType.FLOAT16],
  ['without a cache', false, DataType.FLOAT],
])('writes texts that follow each other in a window, %s', async (_, cache, dataType) => {
  const session = await openSession(sumDecoder({ cache, dataType }), { device: 'cpu', threads: 1 });
  const told: number[] = [];
  for (const endIds of [new Set<number>(), new Set(naiveWindow(3, new Set()).slice(4, 6))]) {
    const [window] = await generateWindows(session, { ...common, endIds, onTokens: count => told.push(count) });
    expect([...window!]).toEqual(naiveWindow(3, endIds));
  }
  expect(told.slice(0, 11)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  await session.release();
});

it('draws by the seed, and ends with the signal', async () => {
  const session = await openSession(sumDecoder({ cache: true, dataType: DataType.FLOAT }), { device: 'cpu' });
  const draw = async (seed: number): Promise<string> => {
    const options = { ...common, endIds: new Set<number>(), temperature: 4, seeds: [seed] };
    return (await generateWindows(session, options)).join();
  };
  expect(await draw(1)).toBe(await draw(1));
  expect(new Set(await Promise.all([1, 2, 3, 4].map(draw))).size).toBe(4);
  const stopped = generateWindows(session, { ...common, endIds: new Set(), signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await session.release();
});
