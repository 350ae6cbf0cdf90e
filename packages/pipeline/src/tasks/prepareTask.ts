import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadTokenizer, readTextFile } from '@quern/calibration';
import { CompressionError, type TokenWindow } from '@quern/core';
import { encodeRequest, loadTaskDefinition, parseTask, type TaskDefinition, type TaskItem } from '@quern/evaluator';
import type { Emit } from '../events.ts';
import type { OpenedModel } from '../open/openModel.ts';

/** A task as tokens of one model. */
export interface PreparedTask {
  readonly definition: TaskDefinition;
  readonly data: { readonly id: string; readonly sha256: string };
  /** Items that can be scored. */
  readonly items: readonly TaskItem[];
  /** Every request, in the order of the items. */
  readonly windows: readonly TokenWindow[];
  /** Indices of each item's windows. */
  readonly requests: readonly (readonly number[])[];
  /** Items left out because an answer is longer than the context or has no token of its own. */
  readonly leftOut: number;
  /** Requests whose beginning was cut off. */
  readonly cut: number;
}

export interface TaskRequestOptions {
  /** An id, or the path of a definition. */
  readonly task: string;
  /** A file with the items, or a folder in which it lies, or in a folder of which. */
  readonly data: string;
  /** The first so many items; all unless given. */
  readonly limit?: number | undefined;
}

/**
 * Reads a task's items and encodes them for a model. Items that do not fit the context are left out and told.
 *
 * Errors: those of `loadTaskDefinition`, `parseTask`, `encodeRequest`; TOKENIZER_NOT_FOUND; INVALID_DATA_SET when the data are not there or
 * no item fits.
 */
export async function prepareTask(
  opened: OpenedModel,
  { task, data, limit }: TaskRequestOptions,
  emit: Emit,
): Promise<PreparedTask> {
  if (!opened.tokenizerFolder) {
    throw new CompressionError(
      'TOKENIZER_NOT_FOUND',
      `${opened.path} comes without a tokenizer, which tasks need: pass --tokenizer <folder with tokenizer.json and config.json>.`,
      { path: opened.path },
    );
  }
  const definition = await loadTaskDefinition(task);
  const path = await findData(definition, data);
  const { content, sha256 } = await readTextFile(path);
  const all = parseTask(definition, content, path).slice(0, limit);
  const tokenizer = await loadTokenizer(opened.tokenizerFolder);
  const { bosTokenId = null, eosTokenIds = [], contextLength = null } = opened.text ?? {};
  const known = new Map<string, Int32Array>();
  const encode = (text: string): Int32Array => {
    const ids = known.get(text) ?? tokenizer.encode(text);
    known.set(text, ids);
    return ids;
  };
  const encoding = { encode, bosTokenId, eosTokenId: eosTokenIds[0] ?? null, contextLength };
  const items: TaskItem[] = [];
  const windows: TokenWindow[] = [];
  const requests: number[][] = [];
  let cut = 0;
  for (const item of all) {
    known.clear(); // only the context comes again
    const encoded = item.requests.map(request => encodeRequest(request, encoding));
    if (encoded.includes(null)) continue;
    items.push(item);
    requests.push(encoded.map((_, at) => windows.length + at));
    for (const { window, isCut } of encoded.filter(request => request !== null)) {
      windows.push(window);
      if (isCut) cut++;
    }
  }
  const leftOut = all.length - items.length;
  if (items.length === 0) throw nothingFits(definition, all.length, contextLength);
  const id = basename(path);
  if (leftOut > 0) {
    const longest = contextLength === null ? '' : `longer than the context of ${contextLength} tokens, or `;
    const message = `${definition.id}: ${leftOut} of ${all.length} items are left out: an answer is ${longest}without a token of its own.`;
    emit({ kind: 'warning', message });
  }
  return { definition, data: { id, sha256 }, items, windows, requests, leftOut, cut };
}

const ENDINGS = ['.jsonl', '.jsonl.gz'];

/** The file of a task: `data` itself, or the file of its name in that folder or one level below. */
async function findData({ id, file }: TaskDefinition, data: string): Promise<string> {
  const information = await stat(data).catch(() => null);
  if (information?.isFile()) return data;
  const entries = information ? await readdir(data, { withFileTypes: true }) : [];
  const folders = entries.filter(entry => entry.isDirectory()).map(entry => join(data, entry.name));
  for (const folder of [data, ...folders.sort()]) {
    for (const ending of ENDINGS) {
      const path = join(folder, file + ending);
      if ((await stat(path).catch(() => null))?.isFile()) return path;
    }
  }
  const where = information ? `holds no ${ENDINGS.map(ending => file + ending).join(' or ')}` : 'is not there';
  throw new CompressionError(
    'INVALID_DATA_SET',
    `--task-data ${data} ${where}, which --tasks ${id} needs: name the file, or the folder in which it lies.`,
    { data, task: id },
  );
}

function nothingFits({ id }: TaskDefinition, count: number, contextLength: number | null): CompressionError {
  return new CompressionError(
    'INVALID_DATA_SET',
    `${id}: none of ${count} items fits the model's context of ${contextLength} tokens with answers that have tokens of their own.`,
    { task: id, contextLength },
  );
}
