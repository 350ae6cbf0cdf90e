import { CompressionError } from '@quern/core';
import type { HubSettings } from './hubSettings.ts';
import { requestHub } from './requestHub.ts';

export interface HubRevision {
  /** The commit that a name such as `main` stands for now. */
  readonly commit: string;
  /** Paths of its files. */
  readonly files: readonly string[];
}

/** Asks the hub which commit a revision of a model or data set is, and which files it has. Errors: those of `requestHub`. */
export async function resolveRevision(
  kind: 'models' | 'datasets',
  repository: string,
  revision: string,
  settings: HubSettings,
): Promise<HubRevision> {
  const url = `${settings.endpoint}/api/${kind}/${repository}/revision/${encodeURIComponent(revision)}`;
  const { response } = await requestHub(url, settings);
  const answer = (await response.json().catch(() => null)) as {
    sha?: unknown;
    siblings?: readonly { rfilename?: unknown }[];
  } | null;
  if (typeof answer?.sha !== 'string' || !/^[0-9a-f]{7,64}$/.test(answer.sha) || !Array.isArray(answer.siblings)) {
    throw new CompressionError('DOWNLOAD_FAILED', `${url} does not answer as a model hub does. Check HF_ENDPOINT.`, {
      url,
    });
  }
  const names = answer.siblings.map(({ rfilename }) => rfilename);
  return { commit: answer.sha, files: names.filter(name => typeof name === 'string') };
}
