/** Writes packages/pipeline/recipe.schema.json, which editors read: `node tools/recipeSchema.ts`. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recipeJsonSchema } from '@quern/pipeline';

const root = join(import.meta.dirname, '..');
const file = join(root, 'packages', 'pipeline', 'recipe.schema.json');
await writeFile(file, `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', file], { stdio: 'inherit' });
