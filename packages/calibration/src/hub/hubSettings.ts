import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where data sets and models come from and where they are kept. */
export interface HubSettings {
  /** `https://huggingface.co`, or the mirror that HF_ENDPOINT names; no slash at the end. */
  readonly endpoint: string;
  /** QUERN_CACHE, or `quern` in the user's cache folder. */
  readonly cacheFolder: string;
  /** From HF_TOKEN, for what is not public; goes to the endpoint only. */
  readonly token: string | null;
  /** HF_HUB_OFFLINE=1 or --offline: only what is in the cache. */
  readonly isOffline: boolean;
  /** How waits pass; a test replaces it. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** The settings that the environment gives. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const offline = environment.HF_HUB_OFFLINE ?? '';
  return {
    endpoint: (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cacheFolder: environment.QUERN_CACHE || join(userCacheFolder(environment), 'quern'),
    token: environment.HF_TOKEN || null,
    isOffline: !['', '0', 'false'].includes(offline.toLowerCase()),
    wait: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
  };
}

function userCacheFolder(environment: NodeJS.ProcessEnv): string {
  if (environment.XDG_CACHE_HOME) return environment.XDG_CACHE_HOME;
  if (process.platform === 'win32' && environment.LOCALAPPDATA) return environment.LOCALAPPDATA;
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}
