import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Device } from '@quern/runtime';
import type { Emit, Stage } from './events.ts';
import type { BlockOptions } from './forward/lossesByBlocks.ts';
import { exitFolder } from './open/exitFolder.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import type { ResultStore } from './solve/resultStore.ts';

/** How a model is scored. */
export interface GroupContext {
  readonly stage: Stage;
  readonly device: Device;
  readonly request: { readonly threads?: number | undefined };
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
  /** Where a run puts what memory has no room for; a folder that goes with the process unless given. */
  readonly folder?: { readonly scratch: string };
  /** Keeps what is done of a large model, by what the model is, for a run that is resumed. */
  readonly keep?: { readonly results: ResultStore; readonly content: () => Promise<JobContent> } | undefined;
  /** See `groupByTokens`. */
  readonly groupTokens?: number | undefined;
}

/** What goes through the blocks in groups. */
export interface GroupWork<Entry, Scores> {
  /** See `groupByTokens`. */
  readonly groups: readonly (readonly Entry[])[];
  /** Tokens of an entry, for progress. */
  readonly tokensOf: (entry: Entry) => number;
  /** What the entries are. */
  readonly content: { readonly [key: string]: JobContent };
  readonly score: (group: readonly Entry[], options: BlockOptions) => Promise<Scores>;
}

/**
 * Scores group after group, each of which goes through all blocks: a stopped run loses the work on one of them. Progress in tokens, each
 * counted once for the whole model.
 */
export async function overGroups<Entry, Scores>(
  { groups, tokensOf, content, score }: GroupWork<Entry, Scores>,
  context: GroupContext,
): Promise<Scores[]> {
  const { stage, device, request, emit, signal, keep } = context;
  const sum = (group: readonly Entry[]): number => group.reduce((tokens, entry) => tokens + tokensOf(entry), 0);
  const total = sum(groups.flat());
  const scored = keep && (await keep.content());
  const scratch = context.folder ? join(context.folder.scratch, `scored-${randomUUID()}`) : await exitFolder('scored');
  const parts: Scores[] = [];
  let before = 0;
  for (const [index, group] of groups.entries()) {
    const key = keep && jobKey({ ...content, scored: scored!, stage, device, group: index });
    const known = key === undefined ? null : await keep!.results.load<Scores>(key);
    const tokens = sum(group);
    const scores =
      known ??
      (await score(group, {
        device,
        threads: request.threads,
        scratch: join(scratch, String(index)),
        signal,
        onProgress: (share, place) => {
          const done = before + Math.round(share * tokens);
          emit({ kind: 'progress', stage, done, total, unit: 'tokens', detail: place });
        },
      }));
    if (key !== undefined && !known) await keep!.results.save(key, scores);
    before += tokens;
    parts.push(scores);
  }
  return parts;
}
