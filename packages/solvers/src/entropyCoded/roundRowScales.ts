/** Digits of float16 after the leading one. */
const FLOAT16_DIGITS = 10;

/**
 * Row scales with only as many binary digits as pay at a rate, in float16: an error of 2^-(digits + 1) of a scale is small
 * against that of codes with `bits` bits a weight, and the digits left out cost nothing once they are packed.
 */
export function roundRowScales(scales: Float64Array, bits: number): Float32Array {
  const digits = scaleDigits(bits);
  return Float32Array.from(scales, scale => {
    if (scale === 0) return 0;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(scale))) - digits);
    return Math.f16round(Math.round(scale / unit) * unit);
  });
}

/** What a row scale takes when it is packed, about: its digits and a bit of exponent. */
export function rowScaleBits(bits: number): number {
  return scaleDigits(bits) + 1;
}

function scaleDigits(bits: number): number {
  return Math.min(FLOAT16_DIGITS, Math.ceil(bits) + 2);
}
