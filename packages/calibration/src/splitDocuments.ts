import { CompressionError } from '@quern/core';

/** Stands between two documents of a plain text. */
export const DOCUMENT_SEPARATOR = '<|endoftext|>';

/**
 * Splits a text file's content into documents: at `<|endoftext|>`, or one `text` field a line for JSON lines.
 *
 * Whitespace around a document is removed (a separator usually has its own line) and empty documents are dropped.
 *
 * @param name the file's name for messages; it ends in `.jsonl` (before a possible `.gz`) for JSON lines.
 * @throws `INVALID_DATA_SET` for a line that is no JSON object with a `text`, or when no document is left.
 */
export function splitDocuments(content: string, name: string): string[] {
  const format = name.toLowerCase().replace(/\.gz$/, '');
  if (format.endsWith('.json')) {
    throw new CompressionError(
      'INVALID_DATA_SET',
      `${name} is JSON; texts are read from plain text or from .jsonl files with one object with a "text" field a line.`,
      { name },
    );
  }
  const parts = format.endsWith('.jsonl') ? textFields(content, name) : content.split(DOCUMENT_SEPARATOR);
  const documents = parts.map(part => part.trim()).filter(part => part.length > 0);
  if (documents.length === 0) {
    throw new CompressionError('INVALID_DATA_SET', `${name} holds no text. Use a file with at least one document.`, {
      name,
    });
  }
  return documents;
}

function textFields(content: string, name: string): string[] {
  const texts: string[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    texts.push(textField(line, name, index + 1));
  }
  return texts;
}

function textField(line: string, name: string, lineNumber: number): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    record = undefined;
  }
  if (typeof record === 'object' && record !== null && 'text' in record && typeof record.text === 'string') {
    return record.text;
  }
  const found =
    typeof record === 'object' && record !== null ? `fields ${Object.keys(record).join(', ')}` : 'no object';
  throw new CompressionError(
    'INVALID_DATA_SET',
    `Line ${lineNumber} of ${name} has ${found}; each line must be a JSON object with a "text" string.`,
    { name, line: lineNumber },
  );
}
