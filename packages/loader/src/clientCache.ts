/** What transformers.js asks of `env.customCache`; a `Cache` of the browser is one. */
export interface ClientCache {
  match(key: string): Promise<Response | string | undefined>;
  put(key: string, response: Response): Promise<void>;
}
