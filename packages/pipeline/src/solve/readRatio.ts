import { createRequire } from 'node:module';
import { CompressionError, type LinearSite } from '@quern/core';

const load = createRequire(import.meta.url);

/**
 * The fraction of a site's bytes to remove: a number, or an expression over `block`, from 0, and `blockCount`, such as
 * `0.1 + 0.3 * block / (blockCount - 1)`.
 *
 * Errors: INVALID_OPTION for an expression that cannot be read or that gives no number from 0 to below 1, naming the block.
 */
export function readRatio(
  ratio: number | string,
  site: Pick<LinearSite, 'name' | 'block'>,
  blockCount: number,
): number {
  const value = typeof ratio === 'number' ? ratio : evaluate(ratio, site, blockCount);
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  const place = typeof ratio === 'number' ? '' : ` gives ${String(value)} for block ${site.block}`;
  throw invalid(`ratio (${ratio})${place}: must be from 0 to below 1.`, ratio);
}

function evaluate(
  expression: string,
  { name, block }: Pick<LinearSite, 'name' | 'block'>,
  blockCount: number,
): unknown {
  const { parseExpression } = load('./parseExpression.ts') as typeof import('./parseExpression.ts');
  try {
    const node = parseExpression(expression);
    const reads = node.filter(part => part.type === 'SymbolNode').map(part => part.toString());
    if (block === null && reads.includes('block')) {
      throw new Error(`${name} stands in no block; give it a ratio of its own in a rule`);
    }
    return node.evaluate(new Map(Object.entries({ block, blockCount })));
  } catch (error) {
    throw invalid(
      `ratio (${expression}): ${(error as Error).message}. It may use numbers, block, blockCount and functions such as min, max, sqrt.`,
      expression,
    );
  }
}

function invalid(message: string, ratio: number | string): CompressionError {
  return new CompressionError('INVALID_OPTION', message, { ratio });
}
