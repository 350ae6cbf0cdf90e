import { findLinearSites } from '@quern/onnx';
import { everySite } from '../compare/everySite.ts';
import type { Emit } from '../events.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { openModel } from '../open/openModel.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { checkRotation, refuseAuto } from '../open/rotateOpened.ts';
import { type PlannedFigure, planSizes } from '../solve/planSizes.ts';
import { selectSites } from '../solve/selectSites.ts';
import { type StoredTotals, storedTotals } from '../solve/storedTotals.ts';
import { totalFigure } from '../solve/totalFigure.ts';
import { type StudyPlan, studyCells } from './studyCells.ts';
import type { StudyRequest } from './studyRequest.ts';

/** The cells that a study would make and what each would store. */
export interface StudyPreview extends Pick<StudyPlan, 'unavailable'> {
  readonly cells: readonly (StoredTotals & {
    readonly method: string;
    readonly bits: number;
    readonly calibration: string | null;
    readonly figure: PlannedFigure;
  })[];
}

/** What a study would make, before any weight is read. Errors: those of `studyCells`. */
export async function planStudy(request: StudyRequest, emit: Emit): Promise<StudyPreview> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  refuseAuto(request.recipe);
  checkRotation(opened, request.recipe.rotate);
  const sites = findLinearSites(opened.model);
  const base = adoptDtype(opened, everySite(sites, request.recipe), request.recipe);
  const { cells, unavailable } = studyCells(opened.model, sites, { grid: request.grid, base, emit });
  return {
    unavailable,
    cells: cells.map(({ method, bits, calibration, recipe }) => {
      const plans = selectSites(sites, recipe);
      const sizes = planSizes(plans, recipe);
      return { method, bits, calibration, figure: totalFigure(sizes), ...storedTotals(plans, sizes) };
    }),
  };
}
