/**
 * Blanks what is not code in a TypeScript or JavaScript source: comments, and what stands inside string, template and
 * regular-expression literals. Quotes and line ends stay, so positions and lines are those of the source.
 *
 * A scanner, not a parser: whether a slash divides or starts a regular expression is told by what stands before it.
 */
export function maskSource(source: string): string {
  const masked = source.split('');
  const blank = (start: number, end: number) => {
    for (let index = start; index < end; index++) if (masked[index] !== '\n') masked[index] = ' ';
  };
  let position = 0;
  while (position < source.length) {
    const end = endOfLiteral(source, position);
    if (end === position) {
      position++;
      continue;
    }
    const isComment = source[position] === '/' && (source[position + 1] === '/' || source[position + 1] === '*');
    if (isComment) blank(position, end);
    else blank(position + 1, end - 1);
    position = end;
  }
  return masked.join('');
}

/** Where the literal or comment that starts here ends; the position itself when none starts. */
function endOfLiteral(source: string, position: number): number {
  const character = source[position];
  if (character === '"' || character === "'") return endOfQuoted(source, position);
  if (character === '`') return endOfTemplate(source, position);
  if (character !== '/') return position;
  if (source[position + 1] === '/') return indexOrEnd(source, '\n', position, 0);
  if (source[position + 1] === '*') return indexOrEnd(source, '*/', position + 2, 2);
  return startsExpression(source, position) ? endOfRegularExpression(source, position) : position;
}

function indexOrEnd(source: string, text: string, from: number, extra: number): number {
  const index = source.indexOf(text, from);
  return index < 0 ? source.length : index + extra;
}

function endOfQuoted(source: string, start: number): number {
  for (let index = start + 1; index < source.length; index++) {
    if (source[index] === '\\') index++;
    else if (source[index] === source[start] || source[index] === '\n') return index + 1;
  }
  return source.length;
}

function endOfTemplate(source: string, start: number): number {
  for (let index = start + 1; index < source.length; index++) {
    if (source[index] === '\\') index++;
    else if (source[index] === '`') return index + 1;
    else if (source[index] === '$' && source[index + 1] === '{') index = endOfPlaceholder(source, index + 2) - 1;
  }
  return source.length;
}

/** Past the brace that closes a template's placeholder. */
function endOfPlaceholder(source: string, start: number): number {
  let depth = 1;
  let index = start;
  while (index < source.length) {
    const end = endOfLiteral(source, index);
    if (end > index) {
      index = end;
      continue;
    }
    if (source[index] === '{') depth++;
    if (source[index] === '}' && --depth === 0) return index + 1;
    index++;
  }
  return source.length;
}

/** A slash starts a regular expression where a value may stand: not after a name, a number or a closing bracket. */
function startsExpression(source: string, position: number): boolean {
  const before = source.slice(Math.max(0, position - 60), position).trimEnd();
  if (/\b(?:return|typeof|case|in|of|void|delete|throw|await|yield)$/.test(before)) return true;
  return before === '' || !/[\w$)\]}'"`]$/.test(before);
}

function endOfRegularExpression(source: string, start: number): number {
  let inClass = false;
  for (let index = start + 1; index < source.length; index++) {
    const character = source[index];
    if (character === '\\') index++;
    else if (character === '\n') return start;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return index + 1;
  }
  return start;
}
