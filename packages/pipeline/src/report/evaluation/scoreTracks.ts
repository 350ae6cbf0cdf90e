import { escapeHtml } from '../escapeHtml.ts';
import { formatFigure } from '../formatFigure.ts';

/** A score before and after, each with one standard error. */
export interface ScoreTrack {
  readonly name: string;
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
  /** How a value is written; four digits unless given. */
  readonly format?: (value: number, digits: number) => string;
}

/** Half the width of the bars, in standard errors: 95 %. */
const REACH = 1.96;

/** Scores one below the other, each on an axis of its own: two dots and their 95 % bars. */
export function scoreTracks(tracks: readonly ScoreTrack[]): string {
  const rows = tracks.map(track => {
    const { name, before, after, format = formatFigure } = track;
    const ends = [before, after].flatMap(([value, error]) => [value - REACH * error, value + REACH * error]);
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const margin = 0.06 * (high - low) || Math.abs(high) || 1;
    const place = (value: number): string =>
      `${((100 * (value - low + margin)) / (high - low + 2 * margin)).toFixed(2)}%`;
    const mark = (kind: string, [value, error]: readonly [number, number]): string => {
      const width = `${((200 * REACH * error) / (high - low + 2 * margin)).toFixed(2)}%`;
      return (
        `<span class="bar ${kind}" style="left:${place(value - REACH * error)};width:${width}"></span>` +
        `<span class="dot ${kind}" style="left:${place(value)}"></span>`
      );
    };
    const text = ([value, error]: readonly [number, number]): string => `${format(value, 4)} ± ${format(error, 2)}`;
    return (
      `<div class="score"><dt>${escapeHtml(name)}</dt>` +
      `<dd class="values"><span class="before">${text(before)}</span> → <span class="after">${text(after)}</span></dd>` +
      `<dd class="track" aria-hidden="true">${mark('before', before)}${mark('after', after)}</dd></div>`
    );
  });
  return (
    '<p class="note"><span class="key before"></span> before, <span class="key after"></span> after; bars: 95 %, from standard errors over windows</p>\n' +
    `<dl class="scores">\n${rows.join('\n')}\n</dl>`
  );
}
