/** A text and what may follow it. */
export interface TaskRequest {
  readonly context: string;
  readonly continuation: string;
}

/** One question of a task: the likelihoods of its requests are compared. */
export interface TaskItem {
  readonly requests: readonly TaskRequest[];
  /** Index of the right request. */
  readonly gold: number;
  /** Characters (code points) of each answer, without the delimiter; null where all requests have the same continuation. */
  readonly lengths: readonly number[] | null;
}
