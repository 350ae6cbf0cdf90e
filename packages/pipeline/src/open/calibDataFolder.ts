import { join } from 'node:path';

/** The folder with the texts that come with Quern. */
export function calibDataFolder(): string {
  return join(import.meta.dirname, '..', '..', '..', '..', 'calib-data');
}
