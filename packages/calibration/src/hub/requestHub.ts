import { CompressionError } from '@quern/core';
import type { HubSettings } from './hubSettings.ts';

const ATTEMPTS = 6;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_REDIRECT = 5;

export interface HubRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are answers too, besides 2xx. */
  readonly accepted?: readonly number[];
}

/** An answer, with the headers of the first one when it redirected: they describe the file. */
export interface HubResponse {
  readonly response: Response;
  readonly first: Headers;
}

/**
 * Asks the hub for an address. 429, 5xx and broken connections are asked again, six times in all, after what Retry-After says (a minute
 * at most), else after 1, 2, 4, ... seconds. The token goes to the endpoint only, not to where it redirects.
 *
 * Errors: DOWNLOAD_FAILED with the address, the status and the next step; INTERRUPTED.
 */
export async function requestHub(url: string, settings: HubSettings, request: HubRequest = {}): Promise<HubResponse> {
  if (settings.isOffline) {
    throw failed(url, 'is not in the cache and --offline is set', 'Run once without --offline (and HF_HUB_OFFLINE).');
  }
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    let waitMs = 1000 * 2 ** (attempt - 1);
    try {
      const answer = await follow(url, settings, request);
      const { response } = answer;
      if (response.ok || request.accepted?.includes(response.status)) return answer;
      await response.body?.cancel();
      if (response.status !== 429 && response.status < 500) throw refused(url, response.status);
      reason = `answered ${response.status}`;
      waitMs = retryAfterMs(response.headers.get('retry-after')) ?? waitMs;
    } catch (error) {
      if (request.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted.');
      if (error instanceof CompressionError) throw error;
      const { message, cause } = error as Error;
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND') {
        throw failed(
          url,
          'cannot be reached: there is no such host here',
          'Check the network, or name a mirror in HF_ENDPOINT.',
        );
      }
      reason = `cannot be reached (${cause instanceof Error ? cause.message || String(cause) : message})`;
    }
    if (attempt >= ATTEMPTS) {
      throw failed(url, `${reason}, ${ATTEMPTS} times`, 'Try again later, or name a mirror in HF_ENDPOINT.');
    }
    await settings.wait(Math.min(waitMs, LONGEST_WAIT_MS));
  }
}

async function follow(url: string, settings: HubSettings, request: HubRequest): Promise<HubResponse> {
  let target = new URL(url);
  const origin = new URL(settings.endpoint).origin;
  let first: Headers | null = null;
  for (let count = 0; count <= LONGEST_REDIRECT; count++) {
    const authorization =
      settings.token && target.origin === origin ? { authorization: `Bearer ${settings.token}` } : {};
    const response = await fetch(target, {
      headers: { 'accept-encoding': 'identity', ...request.headers, ...authorization },
      redirect: 'manual',
      ...(request.signal ? { signal: request.signal } : {}),
    });
    first ??= response.headers;
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (location === null) return { response, first };
    await response.body?.cancel();
    target = new URL(location, target);
  }
  throw failed(url, `redirects more than ${LONGEST_REDIRECT} times`, 'Check HF_ENDPOINT.');
}

function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const milliseconds = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : null;
}

function refused(url: string, status: number): CompressionError {
  const advice =
    status === 401 || status === 403
      ? 'It is not public: accept its terms on its page and put a token into HF_TOKEN.'
      : status === 404
        ? 'Check the name and the revision.'
        : 'Check HF_ENDPOINT.';
  return failed(url, `answered ${status}`, advice, status);
}

function failed(url: string, what: string, advice: string, status?: number): CompressionError {
  return new CompressionError('DOWNLOAD_FAILED', `${url} ${what}. ${advice}`, {
    url,
    ...(status === undefined ? {} : { status }),
  });
}
