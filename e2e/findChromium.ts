import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import sparticuz, { inflate } from '@sparticuz/chromium';
import type { LaunchOptions } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'chrome.exe'];

/**
 * How to start the Chromium that tests use: `CHROME_PATH`, one on the path, or the one that comes as a package and unpacks itself with
 * the libraries it needs. Null where there is none, as on a system that the package is not made for.
 */
export async function findChromium(): Promise<LaunchOptions | null> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const installed = NAMES.flatMap(name => folders.map(folder => join(folder, name))).find(path => existsSync(path));
  const executablePath = process.env.CHROME_PATH ?? installed;
  if (executablePath) return { executablePath };
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const home = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  await inflate(join(home, 'bin', 'al2023.tar.br'));
  return {
    executablePath: await sparticuz.executablePath(),
    args: ['--no-sandbox', '--headless=shell'],
    env: { ...process.env, LD_LIBRARY_PATH: join(tmpdir(), 'al2023', 'lib') } as Record<string, string>,
  };
}
