import { DataType, type OnnxModel } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { type ScoreOptions, scoreWindows } from './scoreWindows.ts';
import { summarizeScores } from './summarizeScores.ts';
import { tableModel } from './testSupport/tableModel.ts';

const window = (ids: readonly number[], firstScored = 1) => ({ ids: Int32Array.from(ids), firstScored });
const cpu = { device: 'cpu', threads: 1 } as const;
const ln = Math.log;

/** p(next | current) by row, over three tokens. */
const MODEL = [
  [1 / 4, 1 / 2, 1 / 4],
  [1 / 8, 1 / 8, 3 / 4],
  [0.6, 0.3, 0.1],
];
const BASELINE = [
  [1 / 2, 1 / 4, 1 / 4],
  [1 / 8, 1 / 8, 3 / 4],
  [0.3, 0.6, 0.1],
];
/** Logits are defined up to a constant, which the loss must not see. */
const logits = (rows: readonly (readonly number[])[]) => rows.map((row, id) => row.map(p => ln(p) + 10 * id));
const planted = (rows: readonly (readonly number[])[], options = {}) => tableModel(logits(rows), options);

async function codeOf(
  model: OnnxModel,
  windows: Parameters<typeof scoreWindows>[1],
  options: Partial<ScoreOptions> = {},
) {
  return scoreWindows(model, windows, { ...cpu, ...options }).then(
    () => 'no error',
    error => `${error.code}: ${error.message}`,
  );
}

describe('scoreWindows', () => {
  it.each([
    [3, 1],
    [3, 64],
    [512, 7],
    [50_257, 100],
  ])('scores uniform logits over %i tokens as the vocabulary size, %i tokens a batch', async (size, batchTokens) => {
    const model = tableModel([new Array(size).fill(0.7), new Array(size).fill(-3)]);
    const ids = (length: number) => Array.from({ length }, (_, position) => position % 2);
    const windows = [1, 2, 3, 5, 5, 7, 17, 2, 31].map(length => window(ids(length)));
    const scores = await scoreWindows(model, windows, { ...cpu, batchTokens });
    const sizes = { byteCounts: windows.map(({ ids }) => ids.length), wordCounts: windows.map(() => 1) };
    const { perplexity, tokenCount, calibrationError } = summarizeScores(scores, sizes);
    expect(perplexity / size).toBeCloseTo(1, 6);
    expect(tokenCount).toBe(1 + 2 + 4 + 4 + 6 + 16 + 1 + 30);
    // Every token is as likely as the most likely one, with a confidence of 1 / size.
    expect([...scores.right]).toEqual([...scores.tokenCounts]);
    expect(calibrationError).toBeCloseTo(1 - 1 / size, 5);
  });

  it.each([
    ['float32', DataType.FLOAT, 17, 5],
    ['float32 with an old operator set', DataType.FLOAT, 11, 5],
    ['float16', DataType.FLOAT16, 17, 2],
  ])('adds -ln p of each next token: %s logits', async (_, logitType, opset, digits) => {
    const model = planted(MODEL, { logitType, opset });
    const { nll, tokenCounts } = await scoreWindows(model, [window([0, 1, 2, 0]), window([2, 1])], cpu);
    expect([...tokenCounts]).toEqual([3, 1]);
    expect(nll[0]).toBeCloseTo(-ln(1 / 2) - ln(3 / 4) - ln(0.6), digits);
    expect(nll[1]).toBeCloseTo(-ln(0.3), digits);
  });

  it('leaves out what stands before firstScored and windows without a scored token', async () => {
    const windows = [window([0, 1, 2, 0, 0], 3), window([1]), window([1, 0], 2), window([1, 0], 7)];
    const { nll, tokenCounts } = await scoreWindows(planted(MODEL), windows, cpu);
    expect([...tokenCounts]).toEqual([2, 0, 0, 0]);
    expect(nll[0]).toBeCloseTo(-ln(0.6) - ln(1 / 4), 6);
    expect([...nll.subarray(1)]).toEqual([0, 0, 0]);
  });

  it.each([DataType.FLOAT, DataType.FLOAT16])('compares with a baseline (element type %i)', async logitType => {
    const baseline = planted(BASELINE, { logitType });
    const windows = [window([0, 1, 2, 0]), window([2, 1, 0, 2], 2)];
    const scores = await scoreWindows(planted(MODEL), windows, { ...cpu, baseline });
    const digits = logitType === DataType.FLOAT ? 5 : 2;
    expect(scores.nll[0]).toBeCloseTo(-ln(1 / 2) - ln(3 / 4) - ln(0.6), 5);
    expect(scores.baseline!.nll[0]).toBeCloseTo(-ln(1 / 4) - ln(3 / 4) - ln(0.3), digits);
    expect(scores.baseline!.nll[1]).toBeCloseTo(-ln(1 / 8) - ln(1 / 4), digits);
    // Row 0: 1/2 ln 2 - 1/4 ln 2. Row 1: the same. Row 2: .3 ln 1/2 + .6 ln 2.
    expect(scores.baseline!.klDivergence[0]).toBeCloseTo(0.25 * ln(2) + 0.3 * ln(2), digits);
    // The second window scores after tokens 1 and 0.
    expect(scores.baseline!.klDivergence[1]).toBeCloseTo(0.25 * ln(2), digits);
    expect([...scores.baseline!.topAgreements]).toEqual([1, 1]);
    // After 0, 1, 2 the model finds 1, 2, 0 most likely, the baseline 0, 2, 1; what came was 1, 2, 0, then 0, 2 after 1, 0.
    expect([...scores.right]).toEqual([3, 0]);
    expect([...scores.baseline!.right]).toEqual([1, 0]);
    expect([[...scores.baseline!.lost], [...scores.baseline!.gained]]).toEqual([
      [0, 0],
      [2, 0],
    ]);
    // Of three tokens all are among the five most likely.
    expect([...scores.baseline!.topFiveAgreements]).toEqual([3, 2]);
    const tokens = [...scores.baseline!.tokenDivergences];
    for (const [index, expected] of [0.25, 0, 0.3, 0, 0.25].entries()) {
      expect(tokens[index]).toBeCloseTo(expected * ln(2), digits);
    }
  });

  it('finds no distance between a model and itself, and the same losses as without a baseline', async () => {
    const windows = [window([0, 1, 2, 0]), window([2, 1])];
    const alone = await scoreWindows(planted(MODEL), windows, cpu);
    const { nll, baseline } = await scoreWindows(planted(MODEL), windows, { ...cpu, baseline: planted(MODEL) });
    expect(nll).toEqual(alone.nll);
    expect(baseline!.nll).toEqual(alone.nll);
    expect([...baseline!.klDivergence!]).toEqual([0, 0]);
    expect([...baseline!.topAgreements]).toEqual([3, 1]);
    expect([...baseline!.topFiveAgreements]).toEqual([3, 1]);
    expect([...baseline!.lost, ...baseline!.gained]).toEqual([0, 0, 0, 0]);
    expect(baseline!.gaps).toEqual(alone.gaps);
  });

  it('adds confidence less being right in bins of the confidence', async () => {
    const { gaps } = await scoreWindows(planted(MODEL), [window([0, 1, 0]), window([2, 0])], cpu);
    // After 0 sure of 1 at 1/2, right: bin 8 of 15. After 1 sure of 2 at 3/4, wrong: bin 12. After 2 sure of 0 at .6, right: bin 9.
    const expected = new Float64Array(2 * 15);
    [expected[7], expected[11], expected[15 + 8]] = [-1 / 2, 3 / 4, -0.4];
    for (const [bin, gap] of gaps.entries()) expect(gap).toBeCloseTo(expected[bin]!, 5);
  });

  it('counts a favourite as kept up to the fifth place', async () => {
    // After token 0 the baseline's favourite is 0, in place 5 of the model; after 1 it is 1, in place 6.
    const order = (favourite: number, place: number) => {
      const others = [0, 1, 2, 3, 4, 5, 6];
      return others.toSpliced(favourite, 0, 6.5 - place);
    };
    const places = [order(0, 4), order(1, 5)];
    const favourites = [0, 1].map(row => Array.from({ length: 8 }, (_, id) => (id === row ? 1 : 0)));
    expect(places.map((row, id) => row.filter(logit => logit > row[id]!).length)).toEqual([4, 5]);
    const options = { ...cpu, baseline: tableModel(favourites) };
    const scores = await scoreWindows(tableModel(places), [window([0, 0, 1, 1, 1])], options);
    expect([...scores.baseline!.topFiveAgreements]).toEqual([2]);
    expect([...scores.baseline!.topAgreements]).toEqual([0]);
  });

  it('compares many rows piece by piece', async () => {
    const size = 2 ** 17;
    const table = (seed: number) =>
      [0, 1].map(row => Array.from({ length: size }, (_, id) => Math.sin(seed + row + id)));
    const windows = [window(Array.from({ length: 40 }, (_, position) => (position >> 1) % 2))];
    const scores = await scoreWindows(tableModel(table(0)), windows, { ...cpu, baseline: tableModel(table(1)) });
    const logSum = (row: readonly number[]) => ln(row.reduce((sum, value) => sum + Math.exp(value), 0));
    const divergence = [0, 1].map(row => {
      const [q, p] = [table(0)[row]!, table(1)[row]!];
      const [qSum, pSum] = [logSum(q), logSum(p)];
      return p.reduce((sum, value, id) => sum + Math.exp(value - pSum) * (value - pSum - (q[id]! - qSum)), 0);
    });
    const rows = [...windows[0]!.ids.subarray(0, -1)];
    const expected = rows.reduce((sum, id) => sum + divergence[id]!, 0);
    expect(scores.baseline!.klDivergence[0]! / expected).toBeCloseTo(1, 5);
  });

  it('reports progress in tokens up to the whole', async () => {
    const seen: number[][] = [];
    const windows = [window([0, 1]), window([0, 1, 2]), window([2, 0]), window([1])];
    await scoreWindows(planted(MODEL), windows, { ...cpu, batchTokens: 2, onProgress: (...step) => seen.push(step) });
    expect(seen).toEqual([
      [3, 7],
      [5, 7],
      [7, 7],
    ]);
  });

  it.each([false, true])(
    'scores windows of a text that is still being cut like all at once, baseline %s',
    async compares => {
      const random = (index: number) => Math.abs(Math.floor(1e4 * Math.sin(index))) % 3;
      const windows = Array.from({ length: 17 }, (_, at) =>
        window(
          Array.from({ length: at === 16 ? 4 : 7 }, (_, token) => random(10 * at + token)),
          at === 0 ? 1 : 3,
        ),
      );
      const seen: number[][] = [];
      const options = {
        ...cpu,
        batchTokens: 3 * 7,
        onProgress: (...step: number[]) => void seen.push(step),
        ...(compares ? { baseline: planted(BASELINE) } : {}),
      };
      const whole = await scoreWindows(planted(MODEL), windows, options);
      const total = 16 * 7 + 4;
      expect(seen.at(-1)).toEqual([total, total]);
      for (const ends of [[17], [1, 2, 9, 17], [3, 6, 17], [16, 17]]) {
        seen.length = 0;
        async function* parts() {
          let start = 0;
          for (const end of ends) {
            await new Promise(resolve => setTimeout(resolve, 1));
            yield { windows: windows.slice(start, end), share: end / 17 };
            start = end;
          }
        }
        expect(await scoreWindows(planted(MODEL), parts(), options)).toEqual(whole);
        // Batches of three windows, the short one alone, as if all had been there.
        expect(seen.map(([done]) => done)).toEqual([21, 42, 63, 84, 105, 112, 116]);
        expect(seen.at(-1)).toEqual([total, total]);
        for (const [, estimate] of seen) expect(Math.abs(estimate! - total)).toBeLessThan(7);
      }
    },
  );

  it('waits for all windows where they have several lengths', async () => {
    const windows = [window([0, 1]), window([0, 1, 2]), window([2, 0]), window([1, 1, 1])];
    const seen: number[][] = [];
    async function* parts() {
      for (const [at, each] of windows.entries()) yield { windows: [each], share: (at + 1) / 4 };
    }
    const options = { ...cpu, batchTokens: 6, onProgress: (...step: number[]) => void seen.push(step) };
    const { nll } = await scoreWindows(planted(MODEL), parts(), options);
    expect(nll).toEqual((await scoreWindows(planted(MODEL), windows, cpu)).nll);
    expect(seen).toEqual([
      [6, 10],
      [10, 10],
    ]);
  });

  it('names a window by its place in the text, and throws what the text threw', async () => {
    async function* parts(last: readonly number[]) {
      yield { windows: [window([0, 1]), window([1, 2]), window([0, 2])], share: 0.5 };
      yield { windows: [window(last)], share: 1 };
      if (last.length > 2) throw new Error('the text ended badly');
    }
    const of = (last: readonly number[], model = planted(MODEL)) =>
      scoreWindows(model, parts(last), { ...cpu, batchTokens: 2 }).catch(error => String(error));
    expect(await of([0, 3])).toMatch(/Window 3 holds token 3/);
    const broken = logits(MODEL);
    broken[2] = [Number.NaN, 0, 0];
    expect(await of([2, 0], tableModel(broken))).toMatch(/token 1 of window 3 is NaN/);
    expect(await of([0, 1, 2])).toMatch(/ended badly/);
  });

  it('stops between batches when the signal is set', async () => {
    const stop = new AbortController();
    let batches = 0;
    const onProgress = () => {
      batches++;
      stop.abort();
    };
    const options = { batchTokens: 2, onProgress, signal: stop.signal };
    expect(await codeOf(planted(MODEL), [window([0, 1]), window([1, 2])], options)).toMatch(/^INTERRUPTED/);
    expect(batches).toBe(1);
  });

  it('names the window and the token of a loss that is no number', async () => {
    const broken = logits(MODEL);
    broken[1] = [Number.NaN, 0, 0];
    const message = await codeOf(tableModel(broken), [window([0, 2]), window([0, 0, 1, 2])]);
    expect(message).toMatch(/^NON_FINITE_ACTIVATION: The loss at token 3 of window 1 is NaN/);
    const context = await scoreWindows(tableModel(broken), [window([0, 1, 1, 0, 0], 4)], cpu);
    expect(context.nll[0]).toBeCloseTo(-ln(1 / 4), 6);
  });

  it('refuses a token outside of the vocabulary, a scored first token, and another vocabulary', async () => {
    expect(await codeOf(planted(MODEL), [window([0, 1, 3])])).toMatch(
      /^INVALID_TOKENIZER: Window 0 holds token 3.*has 3/,
    );
    expect(await codeOf(planted(MODEL), [window([0, 1], 0)])).toMatch(/^INVALID_OPTION: Window 0 scores from token 0/);
    const baseline = tableModel([[0, 0, 0, 0]]);
    expect(await codeOf(planted(MODEL), [window([0, 1])], { baseline })).toMatch(/^INVALID_OPTION: .* 4 .* 3/);
  });

  it('refuses a graph too old for the loss', async () => {
    expect(await codeOf(planted(MODEL, { opset: 10 }), [window([0, 1])])).toMatch(
      /^UNSUPPORTED_MODEL: .*operator set 10/,
    );
  });

  it('leaves the windows and the model unchanged', async () => {
    const model = planted(MODEL);
    const windows = [window([0, 1, 2])];
    const nodes = model.proto.graph!.node.length;
    await scoreWindows(model, windows, { ...cpu, baseline: model });
    expect([...windows[0]!.ids]).toEqual([0, 1, 2]);
    expect(model.proto.graph!.node.length).toBe(nodes);
    expect(model.proto.graph!.output.map(output => output.name)).toEqual(['logits']);
  });
});
