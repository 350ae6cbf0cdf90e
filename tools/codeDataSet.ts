/**
 * Makes the text set `calib-data/code`, a snapshot of this project's own source: `node tools/codeDataSet.ts`.
 *
 * A set is frozen once it is there, so that figures stay comparable; `--force` makes it anew.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseDocuments, joinDocuments, PART_LIMITS } from './codeDataSet/chooseDocuments.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'calib-data', 'code');

if (existsSync(join(folder, 'manifest.json')) && !process.argv.includes('--force')) {
  console.error(
    'calib-data/code is there and frozen. Pass --force to make it anew; figures measured on it then change.',
  );
  process.exit(2);
}

const listed = execFileSync('git', ['-C', root, 'ls-files', '-z', 'packages', 'tools'], { encoding: 'utf8' });
const paths = listed.split('\0').filter(path => path.endsWith('.ts') && existsSync(join(root, path)));
const chosen = chooseDocuments(paths.map(path => ({ path, content: readFileSync(join(root, path), 'utf8') })));

const texts = { calibration: joinDocuments(chosen.calibration), evaluation: joinDocuments(chosen.evaluation) };
for (const part of ['calibration', 'evaluation'] as const) {
  const bytes = Buffer.byteLength(texts[part]);
  const { minimum } = PART_LIMITS[part];
  if (bytes < minimum) {
    console.error(
      `The ${part} part would have ${bytes} bytes, less than ${minimum}: ${paths.length} tracked source files.`,
    );
    process.exit(1);
  }
}

mkdirSync(folder, { recursive: true });
const parts = { calibration: writePart('calibration'), evaluation: writePart('evaluation') };
const manifest = {
  id: 'code',
  title: "A snapshot of this project's own source",
  language: 'typescript',
  licence: 'Apache-2.0',
  source: 'The folders packages and tools of this project',
  parts,
};
writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);

function writePart(part: 'calibration' | 'evaluation') {
  const file = `${part}.txt`;
  const text = texts[part];
  writeFileSync(join(folder, file), text);
  const bytes = Buffer.byteLength(text);
  const documents = chosen[part].length;
  console.log(`${part}: ${documents} files, ${bytes} bytes`);
  return { file, bytes, sha256: createHash('sha256').update(text).digest('hex'), documents };
}
