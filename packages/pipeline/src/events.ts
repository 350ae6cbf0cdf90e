/** The stages of a run, in the order in which a user sees them. */
export type Stage =
  | 'open'
  | 'hash'
  | 'rotate'
  | 'write text'
  | 'capture'
  | 'measure'
  | 'choose'
  | 'solve'
  | 'write'
  | 'evaluate original'
  | 'evaluate result'
  | 'evaluate exactly'
  | 'compare'
  | 'study'
  | 'write code'
  | 'run code'
  | 'download';

/** What a run tells while it works. Packages never print; the command line turns events into lines. */
export type PipelineEvent =
  | { readonly kind: 'stage'; readonly stage: Stage; readonly detail: string }
  | {
      readonly kind: 'progress';
      readonly stage: Stage;
      readonly done: number;
      readonly total: number;
      readonly unit: 'tokens' | 'sites' | 'samples' | 'rows' | 'cells' | 'bytes' | 'tensors' | 'trials';
      /** What is being worked on, such as `block 3 of 24: capture`. */
      readonly detail?: string;
    }
  | { readonly kind: 'warning'; readonly message: string };

export type Emit = (event: PipelineEvent) => void;
