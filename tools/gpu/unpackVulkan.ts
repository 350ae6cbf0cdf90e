import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** A Vulkan loader and SwiftShader, a Vulkan driver that runs on the processor. */
export interface UnpackedVulkan {
  /** Holds libvulkan.so.1. */
  readonly folder: string;
  /** SwiftShader's description, for VK_DRIVER_FILES. */
  readonly driver: string;
}

/** The archive that comes with the Chromium of the browser tests; null on systems that it is not made for, and where it is not installed. */
export async function unpackVulkan(): Promise<UnpackedVulkan | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const home = packageFolder('@sparticuz/chromium');
  if (home === null) return null;
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const folder = join(tmpdir(), `quern-vulkan-${version}`);
  if (!existsSync(folder)) {
    await mkdir(tmpdir(), { recursive: true });
    const partial = await mkdtemp(`${folder}-`);
    const tar = await promisify(brotliDecompress)(await readFile(join(home, 'bin', 'swiftshader.tar.br')));
    for (const { name, content } of filesOf(tar)) await writeFile(join(partial, basename(name)), content);
    // Another process may have been faster.
    await rename(partial, folder).catch(() => rm(partial, { recursive: true }));
  }
  return { folder, driver: join(folder, 'vk_swiftshader_icd.json') };
}

function packageFolder(name: string): string | null {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return null;
  }
}

/** The plain files of a tar archive: 512 bytes of header, then the content, padded to 512. */
function* filesOf(tar: Buffer): Generator<{ readonly name: string; readonly content: Buffer }> {
  const text = (start: number, length: number) =>
    tar
      .toString('latin1', start, start + length)
      .replace(/\0.*$/s, '')
      .trim();
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const isFile = tar[at + 156] === 48 || tar[at + 156] === 0;
    if (isFile) yield { name: text(at, 100), content: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + 512 * Math.ceil(size / 512);
  }
}
