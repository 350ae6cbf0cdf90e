/** Words scored together. Codebooks are padded to a multiple of it with words of infinite norm. */
const STRIP: i32 = 16;

/** Cost of what is not there. */
const NOTHING: f64 = Infinity;

/**
 * Norms c S c^T of all words. `words` float32 `[count, length, size]` (a word is a column), `metric` float64 `[length, length]`,
 * `norms` float32 `[count, size]`. The first `used` words of a codebook exist.
 */
export function wordNorms(
  words: usize,
  metric: usize,
  norms: usize,
  count: i32,
  length: i32,
  size: i32,
  used: i32,
): void {
  const lineBytes = (<usize>size) << 2;
  for (let codebook = 0; codebook < count; codebook++) {
    const own = words + <usize>(codebook * length) * lineBytes;
    const target = norms + <usize>codebook * lineBytes;
    for (let at: usize = 0; at < lineBytes; at += 16) {
      let sum = f32x4.splat(0);
      for (let row = 0; row < length; row++) {
        let image = f32x4.splat(0);
        for (let column = 0; column < length; column++) {
          const factor = f32x4.splat(<f32>load<f64>(metric + ((<usize>(row * length + column)) << 3)));
          image = f32x4.add(image, f32x4.mul(factor, v128.load(own + <usize>column * lineBytes + at)));
        }
        sum = f32x4.add(sum, f32x4.mul(image, v128.load(own + <usize>row * lineBytes + at)));
      }
      v128.store(target + at, sum);
    }
    for (let word = used; word < size; word++) store<f32>(target + ((<usize>word) << 2), f32.MAX_VALUE);
  }
}

/**
 * Beam search for the sums of words, one of each codebook, that make v S v^T - 2 v . b small, row by row.
 *
 * b = linear + S v0, where v0 is the sum of the words that `codes` names before, or 0 where `assigned` is 0: then every codebook
 * gets its first word in turn. In each round each codebook in turn is freed, all its words are tried in each of the best `beam`
 * sums, and the best `beam` of all are kept. Codes change only where the value, in float64, falls.
 *
 * `linear` and `changes` (v - v0) are float64 `[length, stride]`, a row being a column here; `codes` u16, `codeBytes` from row to
 * row. `work` holds 3 beam + 2 (beam + 1) (length + count) + 3 length + STRIP values of 8 bytes. Returns what the values fell by, summed.
 */
export function searchWords(
  linear: usize,
  stride: i32,
  rows: i32,
  metric: usize,
  words: usize,
  norms: usize,
  count: i32,
  length: i32,
  size: i32,
  codes: usize,
  codeBytes: i32,
  beam: i32,
  rounds: i32,
  assigned: i32,
  work: usize,
  changes: usize,
): f64 {
  const lineBytes = (<usize>size) << 2;
  const columnBytes = (<usize>stride) << 3;
  const sumBytes = (<usize>length) << 3;
  const choiceBytes = (<usize>count) << 3;
  // Best so far of a step: value, sum it came from, code; all of 8 bytes.
  const values = work;
  const parents = values + ((<usize>beam) << 3);
  const entries = parents + ((<usize>beam) << 3);
  let sums = entries + ((<usize>beam) << 3);
  let choices = sums + <usize>(beam + 1) * sumBytes;
  let nextSums = choices + <usize>(beam + 1) * choiceBytes;
  let nextChoices = nextSums + <usize>(beam + 1) * sumBytes;
  const target = nextChoices + <usize>(beam + 1) * choiceBytes;
  const first = target + sumBytes;
  const slopes = first + sumBytes;
  const scores = slopes + sumBytes;
  let fallen: f64 = 0;
  for (let row = 0; row < rows; row++) {
    const own = codes + <usize>(row * codeBytes);
    // The sum that stands, and b.
    memory.fill(sums, 0, sumBytes);
    for (let codebook = 0; codebook < count; codebook++) {
      const code = assigned ? <i32>load<u16>(own + ((<usize>codebook) << 1)) : -1;
      store<i64>(choices + ((<usize>codebook) << 3), code);
      if (code >= 0) addWord(sums, words + <usize>(codebook * length) * lineBytes, code, lineBytes, length, 1);
    }
    memory.copy(first, sums, sumBytes);
    for (let index = 0; index < length; index++) {
      let value = load<f64>(linear + <usize>index * columnBytes + ((<usize>row) << 3));
      value += dotRow(metric, index, sums, length);
      store<f64>(target + ((<usize>index) << 3), value);
    }
    const before = costOf(sums, target, metric, length);
    let kept = 1;
    for (let step = 0; step < rounds * count; step++) {
      const codebook = step % count;
      const line = words + <usize>(codebook * length) * lineBytes;
      const norm = norms + <usize>codebook * lineBytes;
      for (let place = 0; place < beam; place++) store<f64>(values + ((<usize>place) << 3), NOTHING);
      for (let parent = 0; parent < kept; parent++) {
        const sum = sums + <usize>parent * sumBytes;
        const choice = choices + <usize>parent * choiceBytes;
        if (seenBefore(choices, parent, count, codebook)) continue;
        const code = <i32>load<i64>(choice + ((<usize>codebook) << 3));
        if (code >= 0) addWord(sum, line, code, lineBytes, length, -1);
        const base = costOf(sum, target, metric, length);
        for (let index = 0; index < length; index++) {
          const slope = load<f64>(target + ((<usize>index) << 3)) - dotRow(metric, index, sum, length);
          store<f32>(slopes + ((<usize>index) << 2), <f32>(2 * slope));
        }
        let limit = limitOf(values, beam, base);
        let limits = f32x4.splat(limit);
        for (let word = 0; word < size; word += STRIP) {
          const at = (<usize>word) << 2;
          let a = v128.load(norm + at);
          let b = v128.load(norm + at, 16);
          let c = v128.load(norm + at, 32);
          let d = v128.load(norm + at, 48);
          let from = line + at;
          for (let index: usize = 0; index < <usize>length; index++) {
            const slope = v128.load32_splat(slopes + (index << 2));
            a = f32x4.sub(a, f32x4.mul(slope, v128.load(from)));
            b = f32x4.sub(b, f32x4.mul(slope, v128.load(from, 16)));
            c = f32x4.sub(c, f32x4.mul(slope, v128.load(from, 32)));
            d = f32x4.sub(d, f32x4.mul(slope, v128.load(from, 48)));
            from += lineBytes;
          }
          const least = f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d));
          if (!v128.any_true(f32x4.lt(least, limits))) continue;
          v128.store(scores, a);
          v128.store(scores, b, 16);
          v128.store(scores, c, 32);
          v128.store(scores, d, 48);
          for (let lane = 0; lane < STRIP; lane++) {
            const score = load<f32>(scores + ((<usize>lane) << 2));
            if (score >= limit) continue;
            insert(values, parents, entries, beam, base + <f64>score, parent, word + lane);
            limit = limitOf(values, beam, base);
          }
          limits = f32x4.splat(limit);
        }
      }
      kept = 0;
      while (kept < beam && load<f64>(values + ((<usize>kept) << 3)) < NOTHING) {
        const parent = <usize>load<i64>(parents + ((<usize>kept) << 3));
        const code = <i32>load<i64>(entries + ((<usize>kept) << 3));
        const sum = nextSums + <usize>kept * sumBytes;
        const choice = nextChoices + <usize>kept * choiceBytes;
        memory.copy(sum, sums + parent * sumBytes, sumBytes);
        memory.copy(choice, choices + parent * choiceBytes, choiceBytes);
        addWord(sum, line, code, lineBytes, length, 1);
        store<i64>(choice + ((<usize>codebook) << 3), code);
        kept++;
      }
      const swappedSums = sums;
      sums = nextSums;
      nextSums = swappedSums;
      const swappedChoices = choices;
      choices = nextChoices;
      nextChoices = swappedChoices;
    }
    let best = 0;
    let least = NOTHING;
    for (let place = 0; place < kept; place++) {
      const value = costOf(sums + <usize>place * sumBytes, target, metric, length);
      if (value >= least) continue;
      least = value;
      best = place;
    }
    const isBetter = !assigned || least < before;
    if (isBetter) fallen += before - least;
    for (let codebook = 0; isBetter && codebook < count; codebook++) {
      const code = load<i64>(choices + <usize>best * choiceBytes + ((<usize>codebook) << 3));
      store<u16>(own + ((<usize>codebook) << 1), <u16>code);
    }
    for (let index: usize = 0; index < <usize>length; index++) {
      const change = load<f64>(sums + <usize>best * sumBytes + (index << 3)) - load<f64>(first + (index << 3));
      store<f64>(changes + index * columnBytes + ((<usize>row) << 3), isBetter ? change : 0);
    }
  }
  return fallen;
}

/** sum += sign word */
function addWord(sum: usize, line: usize, code: i32, lineBytes: usize, length: i32, sign: f64): void {
  let from = line + ((<usize>code) << 2);
  for (let index = 0; index < length; index++, from += lineBytes, sum += 8) {
    store<f64>(sum, load<f64>(sum) + sign * <f64>load<f32>(from));
  }
}

/** Row `index` of the metric times a vector. */
function dotRow(metric: usize, index: i32, vector: usize, length: i32): f64 {
  let value: f64 = 0;
  metric += (<usize>(index * length)) << 3;
  for (let column = 0; column < length; column++, metric += 8, vector += 8)
    value += load<f64>(metric) * load<f64>(vector);
  return value;
}

/** v S v^T - 2 v . b */
function costOf(vector: usize, target: usize, metric: usize, length: i32): f64 {
  let value: f64 = 0;
  for (let index = 0; index < length; index++) {
    const at = (<usize>index) << 3;
    value += load<f64>(vector + at) * (dotRow(metric, index, vector, length) - 2 * load<f64>(target + at));
  }
  return value;
}

/** Whether an earlier sum has the same words but of this codebook: all that it becomes was tried. */
function seenBefore(choices: usize, parent: i32, count: i32, codebook: i32): bool {
  const own = choices + ((<usize>(parent * count)) << 3);
  for (let earlier = 0; earlier < parent; earlier++) {
    const other = choices + ((<usize>(earlier * count)) << 3);
    let same = true;
    for (let index = 0; index < count && same; index++) {
      const at = (<usize>index) << 3;
      same = index === codebook || load<i64>(own + at) === load<i64>(other + at);
    }
    if (same) return true;
  }
  return false;
}

/** Scores from here on are of no use. */
function limitOf(values: usize, beam: i32, base: f64): f32 {
  const last = load<f64>(values + ((<usize>(beam - 1)) << 3));
  return last === NOTHING ? f32.MAX_VALUE : <f32>(last - base);
}

function insert(values: usize, parents: usize, entries: usize, beam: i32, value: f64, parent: i32, entry: i32): void {
  let place = <usize>(beam - 1);
  if (!(value < load<f64>(values + (place << 3)))) return;
  while (place > 0 && value < load<f64>(values + ((place - 1) << 3))) {
    store<f64>(values + (place << 3), load<f64>(values + ((place - 1) << 3)));
    store<i64>(parents + (place << 3), load<i64>(parents + ((place - 1) << 3)));
    store<i64>(entries + (place << 3), load<i64>(entries + ((place - 1) << 3)));
    place--;
  }
  store<f64>(values + (place << 3), value);
  store<i64>(parents + (place << 3), parent);
  store<i64>(entries + (place << 3), entry);
}
