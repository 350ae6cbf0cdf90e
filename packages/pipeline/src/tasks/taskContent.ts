import { hashWindows } from '../open/textContent.ts';
import type { PreparedTask } from './prepareTask.ts';

/** What a task asks. */
type Prepared = Pick<PreparedTask, 'definition' | 'data' | 'windows' | 'requests'>;

/** Everything of a prepared task that can change an answer, as JSON. */
export function taskContent({ definition, data, windows, requests }: Prepared) {
  return { id: definition.id, sha256: data.sha256, tokens: hashWindows(windows), itemCount: requests.length };
}
