import type { PipelineEvent } from '@quern/pipeline';
import { formatCount, formatSeconds } from './format.ts';

const REDRAW_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;
const LONGEST_BAR = 24;

/** Where progress goes: the real one is stderr. */
export interface ProgressTarget {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

type ProgressEvent = Extract<PipelineEvent, { kind: 'progress' }>;

/**
 * Turns events into lines on stderr: on a terminal one line that is redrawn, with rate and time left; otherwise plain lines, one
 * every ten seconds at most and one when a stage ends. Returns the sink and a function that ends the last line.
 */
export function createProgress(
  target: ProgressTarget,
  now: () => number = () => performance.now(),
): { emit(event: PipelineEvent): void; finish(): void } {
  let stage = '';
  let stageStarted = 0;
  let lastDrawn = 0;
  let last: ProgressEvent | null = null;

  const write = (line: string, final: boolean): void => {
    if (target.isTTY) target.write(`\r\x1b[2K${line.slice(0, target.columns - 1)}${final ? '\n' : ''}`);
    else if (final) target.write(`${line}\n`);
  };
  const seconds = (): number => (now() - stageStarted) / 1000;
  const endStage = (): void => {
    if (last) {
      const rate = seconds() > 0 ? `, ${formatRate(last.done / seconds(), last.unit)}` : '';
      write(`${stage}: ${formatCount(last.done)} ${last.unit} in ${formatSeconds(seconds())}${rate}`, true);
    }
    last = null;
  };
  const draw = (event: ProgressEvent): void => {
    const interval = target.isTTY ? REDRAW_MS : PLAIN_INTERVAL_MS;
    if (now() - lastDrawn < interval && (event.done < event.total || !target.isTTY)) return;
    lastDrawn = now();
    write(target.isTTY ? drawBar(event, seconds(), target.columns) : describeProgress(event, seconds()), !target.isTTY);
  };

  return {
    emit(event) {
      if (event.kind === 'warning') {
        write(`warning: ${event.message}`, true);
      } else if (event.kind === 'stage') {
        endStage();
        stage = event.stage;
        stageStarted = now();
        lastDrawn = target.isTTY ? Number.NEGATIVE_INFINITY : now();
        write(`${stage}: ${event.detail}`, !target.isTTY);
      } else {
        last = event;
        draw(event);
      }
    },
    finish() {
      endStage();
      if (target.isTTY) target.write('\r\x1b[2K');
    },
  };
}

/** The bar takes what the words leave; on a narrow terminal it goes first, then the detail. */
function drawBar(event: ProgressEvent, seconds: number, columns: number): string {
  const words = describeProgress(event, seconds);
  const width = Math.min(LONGEST_BAR, columns - words.length - 4);
  if (width < 5) return words;
  const filled = Math.round(shareOf(event) * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${words}`;
}

/** Stage, share, rate, time left, and what is being worked on. */
function describeProgress(event: ProgressEvent, seconds: number): string {
  const rate = seconds > 0 ? event.done / seconds : 0;
  const pace =
    rate > 0 ? `  ${formatRate(rate, event.unit)}, ${formatSeconds((event.total - event.done) / rate)} left` : '';
  const detail = event.detail === undefined ? '' : `  (${event.detail})`;
  return `${Math.round(100 * shareOf(event))} % ${event.stage}${pace}${detail}`;
}

/** Per second; what takes longer than some seconds each, per minute or hour. */
function formatRate(rate: number, unit: string): string {
  const [scaled, per] = rate >= 0.2 ? [rate, 's'] : rate >= 0.2 / 60 ? [60 * rate, 'min'] : [3600 * rate, 'h'];
  return `${scaled < 10 ? scaled.toFixed(1) : formatCount(scaled)} ${unit}/${per}`;
}

function shareOf(event: ProgressEvent): number {
  return event.total > 0 ? event.done / event.total : 1;
}
