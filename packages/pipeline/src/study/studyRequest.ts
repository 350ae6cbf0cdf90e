import type { CompressRequest } from '../compressRequest.ts';
import type { StudyGrid } from './studyGrid.ts';

export interface StudyRequest extends CompressRequest {
  readonly grid: StudyGrid;
}
