/**
 * How fast do codes turn into stored bytes and back, and how many bytes are they?
 *
 * Rounded normal numbers whose standard deviation differs by column and a little by row, as weights on an entropy-coded grid have.
 * Speed: best of several rounds on one core, into container bytes, beside a copy of as many container bytes: what no decoder can
 * beat. Size: beside the length of the model (the best distribution of the family for each column, ideal bits, scales given
 * for nothing) and beside the entropy of each column's own histogram, which nobody could decode from.
 * `node benchmarks/coderSpeed.ts`; targets: at most 1.01 of the model, decoding 150 and encoding 50 million codes a second.
 */
import {
  type CodeLayout,
  codeLength,
  countCodes,
  decodeCodes,
  encodeCodes,
  fitCodeTables,
  packBlocks,
  packPlanes,
  unpackPlanes,
} from '@quern/coder';
import { describeMachine } from './machine.ts';

const ROUNDS = 15;

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly deviation: number;
}

const cases: readonly Case[] = [
  { rows: 256, columns: 256, bits: 4, deviation: 0.9 },
  { rows: 256, columns: 768, bits: 4, deviation: 0.9 },
  { rows: 4096, columns: 4096, bits: 4, deviation: 0.5 },
  { rows: 4096, columns: 4096, bits: 4, deviation: 1.2 },
  { rows: 4096, columns: 4096, bits: 8, deviation: 4 },
  { rows: 4096, columns: 256, bits: 8, deviation: 35 },
];

console.log(`${describeMachine()}; best of ${ROUNDS} rounds, one core`);
console.log(
  '| rows x columns, container | bits a code | of the model | of the entropy | decode, M/s | of a copy | encode, M/s |',
);
console.log('|---|---|---|---|---|---|---|');
for (const one of cases) printStream(one);

console.log('\n| planes, 4096 x 4096 | unpack, M/s | of a copy | pack, M/s |');
console.log('|---|---|---|---|');
for (const width of [3, 5, 6, 7]) printPlanes(width);

function printStream({ rows, columns, bits, deviation }: Case): void {
  const layout: CodeLayout = { rows, columns, bits, blockSize: 32, padCode: 1 << (bits - 1) };
  const bytes = packBlocks(makeCodes(layout, deviation), layout);
  const counts = countCodes(bytes, layout);
  const tables = fitCodeTables([counts], { maximum: 64 });
  const payload = encodeCodes(bytes, layout, tables);
  const target = new Uint8Array(bytes.length);
  const decodeMs = best(() => decodeCodes(payload, layout, tables, target));
  if (Buffer.compare(target, bytes) !== 0) throw new Error('the codes did not come back');
  const encodeMs = best(() => encodeCodes(bytes, layout, tables));
  const copyMs = best(() => target.set(bytes));
  let model = 0;
  let entropy = 0;
  for (let column = 0; column < columns; column++) {
    const histogram = counts.counts.subarray(column << bits, (column + 1) << bits);
    model += codeLength(histogram).bits;
    for (const count of histogram) if (count > 0) entropy -= count * Math.log2(count / rows);
  }
  const stored = 8 * payload.length;
  const codes = rows * columns;
  console.log(
    `| ${rows} x ${columns}, ${bits} bits | ${(stored / codes).toFixed(3)} | ${(stored / model).toFixed(4)} | ${(stored / entropy).toFixed(4)} ` +
      `| ${rate(codes, decodeMs)} | ${(decodeMs / copyMs).toFixed(0)}x its time | ${rate(codes, encodeMs)} |`,
  );
}

function printPlanes(width: number): void {
  const bits = width < 4 ? 4 : 8;
  const layout: CodeLayout = { rows: 4096, columns: 4096, bits, blockSize: 32, padCode: 0 };
  const codes = makeCodes(layout, 1).map(code => code & ((1 << width) - 1));
  codes[0] = 0;
  const bytes = packBlocks(codes, layout);
  const planes = packPlanes(bytes, layout, width);
  const target = new Uint8Array(bytes.length);
  const unpackMs = best(() => unpackPlanes(planes, layout, width, target));
  if (Buffer.compare(target, bytes) !== 0) throw new Error('the planes did not come back');
  const packMs = best(() => packPlanes(bytes, layout, width));
  const copyMs = best(() => target.set(bytes));
  console.log(
    `| ${width} bits in ${bits} | ${rate(codes.length, unpackMs)} | ${(unpackMs / copyMs).toFixed(0)}x its time | ${rate(codes.length, packMs)} |`,
  );
}

/** Deviations spread by 0.5 (columns) and 0.15 (rows) in their logarithm. */
function makeCodes({ rows, columns, bits }: CodeLayout, deviation: number): Uint8Array {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const ofColumns = Float64Array.from({ length: columns }, () => deviation * Math.exp(0.5 * normal()));
  const codes = new Uint8Array(rows * columns);
  const middle = 1 << (bits - 1);
  for (let row = 0, at = 0; row < rows; row++) {
    const ofRow = Math.exp(0.15 * normal());
    for (let column = 0; column < columns; column++, at++) {
      const value = Math.round(ofRow * ofColumns[column]! * normal());
      codes[at] = Math.max(0, Math.min(2 * middle - 1, middle + value));
    }
  }
  return codes;
}

function best(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    work();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

function rate(codes: number, ms: number): string {
  return (codes / ms / 1000).toFixed(0);
}
