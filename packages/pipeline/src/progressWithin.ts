import type { Emit, PipelineEvent } from './events.ts';

type Progress = Extract<PipelineEvent, { readonly kind: 'progress' }>;

/** Tells what goes on inside one of several parts as the progress of the whole; `name` is the part's. Warnings go through. */
export function progressWithin(
  emit: Emit,
  whole: Pick<Progress, 'stage' | 'done' | 'total' | 'unit'>,
  name: string,
): Emit {
  return event => {
    if (event.kind === 'warning') emit(event);
    if (event.kind !== 'progress') return;
    const { stage, done, total } = event;
    emit({ kind: 'progress', ...whole, detail: `${name}: ${stage} ${done} of ${total}` });
  };
}
