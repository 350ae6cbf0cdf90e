import type { CompressionError } from '@quern/core';
import { invalidConfig } from './invalidConfig.ts';

/** Typed access to a JSON object that somebody else wrote. A field that is absent or null takes the fallback. */
export interface ConfigFields {
  /** A whole number from 1 to the operators' 32-bit limit. Without a fallback the field must be there. */
  count(key: string, fallback?: number): number;
  /** A finite number above 0. */
  positive(key: string, fallback?: number): number;
  flag(key: string, fallback: boolean): boolean;
  /** Token ids: a number, a list or nothing. */
  tokenIds(key: string): number[];
}

const COUNT_LIMIT = 2 ** 31 - 1;

/**
 * Reads fields of a configuration object.
 *
 * @param raw the parsed object
 * @param where what messages call it, such as the file's path
 * @throws CompressionError (each method) `INVALID_CONFIG` naming key, value and what was wanted
 */
export function configFields(raw: Readonly<Record<string, unknown>>, where: string): ConfigFields {
  function refuse(key: string, wanted: string): CompressionError {
    const value = raw[key];
    const given = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    return invalidConfig(`${where}: ${key} ${given}, wanted ${wanted}`, { where, key, value });
  }
  function read<T>(key: string, fallback: T | undefined, wanted: string, accepts: (value: unknown) => value is T): T {
    const value = raw[key] ?? fallback;
    if (!accepts(value)) throw refuse(key, wanted);
    return value;
  }
  return {
    count: (key, fallback) => read(key, fallback, `a whole number from 1 to ${COUNT_LIMIT}`, isCount),
    positive: (key, fallback) => read(key, fallback, 'a number above 0', isPositive),
    flag: (key, fallback) => read(key, fallback, 'true or false', value => typeof value === 'boolean'),
    tokenIds: key => {
      const value = raw[key] ?? [];
      const ids: unknown[] = Array.isArray(value) ? value : [value];
      if (!ids.every(isTokenId)) throw refuse(key, 'a token id, a list of them or null');
      return ids;
    },
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && isPositive(value) && value <= COUNT_LIMIT;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isTokenId(value: unknown): value is number {
  return value === 0 || isCount(value);
}
