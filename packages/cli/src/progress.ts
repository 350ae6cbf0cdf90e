import type { PipelineEvent } from '@quern/pipeline';
import { formatCount, formatSeconds } from './format.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** Where progress goes: the real one is stderr. */
export interface ProgressTarget {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/**
 * Turns events into lines on stderr: on a terminal one line that is redrawn, with rate and time left; otherwise one plain
 * line when a stage ends. Returns the sink and a function that ends the last line.
 */
export function createProgress(
  target: ProgressTarget,
  now: () => number = () => performance.now(),
): { emit(event: PipelineEvent): void; finish(): void } {
  let stage = '';
  let stageStarted = 0;
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let last: Extract<PipelineEvent, { kind: 'progress' }> | null = null;

  const endStage = (): void => {
    if (last) {
      const seconds = (now() - stageStarted) / 1000;
      const rate = seconds > 0 ? `, ${formatCount(last.done / seconds)} ${last.unit}/s` : '';
      write(`${stage}: ${formatCount(last.done)} ${last.unit} in ${formatSeconds(seconds)}${rate}`, true);
    }
    last = null;
  };
  const write = (line: string, final: boolean): void => {
    if (target.isTTY) target.write(`\r\x1b[2K${line.slice(0, target.columns - 1)}${final ? '\n' : ''}`);
    else if (final) target.write(`${line}\n`);
  };

  return {
    emit(event) {
      if (event.kind === 'warning') {
        write(`warning: ${event.message}`, true);
        return;
      }
      if (event.kind === 'stage') {
        endStage();
        stage = event.stage;
        stageStarted = now();
        write(`${stage}: ${event.detail}`, !target.isTTY);
        lastDrawn = Number.NEGATIVE_INFINITY;
        return;
      }
      last = event;
      if (!target.isTTY || (now() - lastDrawn < REDRAW_MS && event.done < event.total)) return;
      lastDrawn = now();
      write(drawBar(event, (now() - stageStarted) / 1000), false);
    },
    finish() {
      endStage();
      if (target.isTTY) target.write('\r\x1b[2K');
    },
  };
}

function drawBar(event: Extract<PipelineEvent, { kind: 'progress' }>, seconds: number): string {
  const share = event.total > 0 ? event.done / event.total : 1;
  const filled = Math.round(share * BAR_WIDTH);
  const rate = seconds > 0 ? event.done / seconds : 0;
  const left = rate > 0 ? `, ${formatSeconds((event.total - event.done) / rate)} left` : '';
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
  return `${event.stage} [${bar}] ${Math.round(100 * share)}%  ${formatCount(rate)} ${event.unit}/s${left}`;
}
