/**
 * One archive that compresses a model on a linux-x64 machine without registry, Node or network:
 *   node tools/bundle.ts --out out/quern-linux-x64.tar.xz
 * The ending says the compression (.tar, .tar.gz, .tar.xz); the system's tar and xz are used. Unpack it anywhere, run ./quern in it.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { stageBundle } from './bundle/stageBundle.ts';

const compressors: Readonly<Record<string, readonly string[]>> = {
  '.tar': [],
  '.tar.gz': ['--use-compress-program', 'gzip -9n'],
  '.tar.xz': ['--use-compress-program', 'xz --x86 --lzma2=preset=9'],
};
const limitBytes = 60e6;

const root = join(import.meta.dirname, '..');
const { out } = parseArgs({ options: { out: { type: 'string' } } }).values;
const ending = /\.tar(?:\.[gx]z)?$/.exec(out ?? '')?.[0];
if (!out || !ending) {
  console.error('node tools/bundle.ts --out <file>.tar.xz (or .tar.gz, .tar)');
  process.exit(2);
}
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `The bundle holds the Node that runs this, which is for ${process.platform}-${process.arch}: make it on linux-x64.`,
  );
  process.exit(2);
}

const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const name = `quern-${version}-linux-x64`;
const file = resolve(out);
const stage = await mkdtemp(join(tmpdir(), 'quern-bundle-'));
try {
  await stageBundle(root, join(stage, name));
  await mkdir(dirname(file), { recursive: true });
  const plain = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=ustar'];
  await promisify(execFile)('tar', ['-c', ...compressors[ending]!, ...plain, '-f', `${file}.part`, '-C', stage, name]);
  await rename(`${file}.part`, file);
} finally {
  await rm(stage, { recursive: true, force: true });
}
const { size } = await stat(file);
console.log(`${out}: ${size.toLocaleString('en')} bytes; tar -xf it, then ./${name}/quern --help`);
if (ending === '.tar.xz' && size > limitBytes) {
  console.error(
    `That is more than ${limitBytes.toLocaleString('en')} bytes: see what tools/bundle/stageBundle.ts could leave out.`,
  );
  process.exit(1);
}
