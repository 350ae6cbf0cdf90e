/** Passes text on until a stop text comes. */
export interface StopFilter {
  /** What of the text so far can no longer belong to a stop text. */
  push(text: string): string;
  /** What was held back, for a text that ended otherwise. */
  end(): string;
  /** The stop text that came, null before. */
  readonly stopped: string | null;
}

/**
 * Cuts a text that comes in pieces before the first of `stops`, wherever the pieces are cut: an end that may be the beginning of a
 * stop text is held back. Of stop texts that begin at one place the first given counts. Empty ones are ignored.
 */
export function createStopFilter(stops: readonly string[]): StopFilter {
  const wanted = stops.filter(stop => stop !== '');
  let held = '';
  let stopped: string | null = null;
  return {
    get stopped() {
      return stopped;
    },
    push(text) {
      if (stopped !== null) return '';
      held += text;
      const first = firstStop(held, wanted);
      if (first) stopped = first.stop;
      const passed = held.slice(0, first ? first.position : held.length - longestBeginning(held, wanted));
      held = first ? '' : held.slice(passed.length);
      return passed;
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

function firstStop(text: string, stops: readonly string[]): { stop: string; position: number } | null {
  let first: { stop: string; position: number } | null = null;
  for (const stop of stops) {
    const position = text.indexOf(stop);
    if (position >= 0 && (first === null || position < first.position)) first = { stop, position };
  }
  return first;
}

/** Length of the longest end of a text that some stop text begins with. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
