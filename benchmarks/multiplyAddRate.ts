/** Accumulators, so that no multiply-add waits for the one before it. */
const LANES = 12;
const PER_CALL = 1_000_000;

const [I32, F32, V128, EMPTY] = [0x7f, 0x7d, 0x7b, 0x40];
const SPLAT = [0xfd, 0x13];
const EXTRACT_FIRST = [0xfd, 0x1f, 0];
const ADD = [0xfd, 0xe4, 0x01];
const MULTIPLY_ADD = [0xfd, 0x85, 0x02];
const [GET, SET, LOOP, BRANCH_IF, END] = [0x20, 0x21, 0x03, 0x0d, 0x0b];

interface Instance {
  readonly exports: { readonly run: (count: number, factor: number, term: number) => number };
}
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object) => Instance;
};

/**
 * Multiply-adds of float32 a second on one thread of WebAssembly, four in an instruction: what its kernels cannot pass. The best of many
 * short runs.
 */
export function measureMultiplyAddRate(): number {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(moduleBytes()))).exports;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 200; round++) {
    const started = performance.now();
    run(PER_CALL / LANES, 0.999, 0.001);
    least = Math.min(least, performance.now() - started);
  }
  return (4 * PER_CALL * 1000) / least;
}

/** run(count, factor, term): `count` times each accumulator = accumulator factor + term; the first lane of their sum. */
function moduleBytes(): number[] {
  // Parameters 0 to 2; the factor and the term in four lanes; the accumulators.
  const [factor, term, first] = [3, 4, 5];
  const each = Array.from({ length: LANES }, (_, lane) => first + lane);
  const code = [
    ...[GET, 1, ...SPLAT, SET, factor, GET, 2, ...SPLAT, SET, term],
    ...[LOOP, EMPTY],
    ...each.flatMap(lane => [GET, lane, GET, factor, GET, term, ...MULTIPLY_ADD, SET, lane]),
    // count - 1, kept, and on while it is not 0.
    ...[GET, 0, 0x41, 1, 0x6b, 0x22, 0, BRANCH_IF, 0, END],
    ...[GET, first, ...each.slice(1).flatMap(lane => [GET, lane, ...ADD]), ...EXTRACT_FIRST, END],
  ];
  const body = [1, 2 + LANES, V128, ...code];
  return [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, F32, F32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...Buffer.from('run'), 0, 0]),
    ...section(10, [1, ...size(body.length), ...body]),
  ];
}

function section(kind: number, content: readonly number[]): number[] {
  return [kind, ...size(content.length), ...content];
}

/** A length below 2^14 as WebAssembly writes it. */
function size(length: number): number[] {
  return [(length & 127) | 128, length >> 7];
}
