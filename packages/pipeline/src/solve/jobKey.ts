import { createHash } from 'node:crypto';

/** A JSON value that a job is made from. */
export type JobContent =
  | null
  | boolean
  | number
  | string
  | readonly JobContent[]
  | { readonly [key: string]: JobContent };

/** sha256 of a job's content; the order of an object's keys does not matter. */
export function jobKey(content: JobContent): string {
  return createHash('sha256').update(canonical(content)).digest('hex');
}

function canonical(content: JobContent): string {
  if (content === null || typeof content !== 'object') return JSON.stringify(content);
  if (Array.isArray(content)) return `[${content.map(canonical).join(',')}]`;
  const entries = Object.entries(content as { readonly [key: string]: JobContent });
  const sorted = entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`).join(',')}}`;
}
