import { formatCount } from './formatCount.ts';

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/**
 * A figure for reading: `digits` significant digits, trailing zeros kept, no exponent between 1e-4 and 1e6, and `–` for none.
 * Figures of 1000 and more keep their whole part.
 */
export function formatFigure(value: number | null, digits = 4): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size === 0) return '0';
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = size.toExponential(Math.min(digits, 3) - 1).split('e') as [string, string];
    return `${sign}${mantissa} × 10${superscript(Number(exponent))}`;
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return `${sign}${grouped(size.toFixed(decimals))}`;
}

function superscript(exponent: number): string {
  const raised = Array.from(String(Math.abs(exponent)), digit => SUPERSCRIPTS[Number(digit)]).join('');
  return exponent < 0 ? `⁻${raised}` : raised;
}

function grouped(text: string): string {
  const [whole, fraction] = text.split('.') as [string, string?];
  return fraction === undefined ? formatCount(Number(whole)) : `${formatCount(Number(whole))}.${fraction}`;
}
