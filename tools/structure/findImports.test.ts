import { describe, expect, it } from 'vitest';
import { findImports } from './findImports.ts';

describe('findImports', () => {
  it('finds statements, types, side effects, exports, dynamic imports and require', () => {
    const source = [
      "import a from 'one';",
      "import type { B } from './two.ts';",
      'import {',
      '  c,',
      "} from 'three';",
      "import 'four';",
      "export { d } from 'five';",
      "export * from 'six';",
      "const e = await import('seven');",
      'type F = import("eight").F;',
      "require('nine'); require.resolve('ten'); import.meta.resolve(`eleven`);",
    ].join('\n');
    expect(findImports(source).map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
      '1 one',
      '2 ./two.ts',
      '5 three',
      '6 four',
      '7 five',
      '8 six',
      '9 seven',
      '10 eight',
      '11 nine',
      '11 ten',
      '11 eleven',
    ]);
  });

  it('passes over comments, strings, computed names and other calls', () => {
    const source = [
      "// import a from 'one';",
      'const text = "import b from \'two\'";',
      "/** {@link import('three')} */",
      `import(\`./\${name}.ts\`);`,
      "resolve('four'); Array.from('five'); export const from = 'six';",
      "import.meta.url; const x = ['seven'];",
    ].join('\n');
    expect(findImports(source)).toEqual([]);
  });
});
