import type { LinearSite } from '@quern/core';
import { CompressionError, toErrorRecord } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { solvers } from '@quern/solvers';
import { withoutBudget } from '../budget/withoutBudget.ts';
import type { Emit } from '../events.ts';
import { adoptStorage } from '../output/adoptStorage.ts';
import { parseMethod } from '../parseMethod.ts';
import { type Recipe, resolveRecipe } from '../recipe.ts';
import { checkRatios } from '../solve/checkRatios.ts';
import { checkSites } from '../solve/checkSites.ts';
import { selectSites } from '../solve/selectSites.ts';
import { isCalibrated } from '../solve/sitePlan.ts';
import type { StudyGrid } from './studyGrid.ts';

/** One cell to be made. */
export interface CellPlan {
  readonly method: string;
  readonly bits: number;
  /** Null where the method reads no activations. */
  readonly calibration: string | null;
  readonly recipe: Recipe;
}

export interface StudyPlan {
  readonly cells: readonly CellPlan[];
  /** Widths that a method does not have, with its reason. */
  readonly unavailable: readonly { readonly method: string; readonly bits: number; readonly reason: string }[];
}

/**
 * The cells of a grid: every method at every width on every calibration, once where it reads none. All are calibrated on the original
 * model, so that they share its statistics.
 *
 * A width that a method does not have is left out and told. Errors: INVALID_OPTION for a method that says its own bits, that is not
 * known, or that has none of the widths.
 */
export function studyCells(
  model: OnnxModel,
  sites: readonly LinearSite[],
  { grid, base, emit }: { readonly grid: StudyGrid; readonly base: Recipe; readonly emit: Emit },
): StudyPlan {
  const cells: CellPlan[] = [];
  const unavailable: StudyPlan['unavailable'][number][] = [];
  const calibrations = grid.calibration.map(data => ({ ...base.calibration, data }));
  for (const method of grid.methods) {
    const given = parseMethod(method);
    if (given.bits !== undefined) throw saysBits(method);
    const failures: unknown[] = [];
    for (const bits of grid.bits) {
      try {
        const first = check(
          model,
          sites,
          { ...cellRecipe(base, { ...given, bits }), calibration: calibrations[0]! },
          emit,
        );
        for (const calibration of first.isCalibrated ? calibrations : [null]) {
          const recipe = calibration ? { ...first.recipe, calibration } : first.recipe;
          cells.push({ method, bits, calibration: calibration?.data ?? null, recipe });
        }
      } catch (error) {
        const { code, message } = toErrorRecord(error);
        if (code !== 'INVALID_OPTION') throw error;
        failures.push(error);
        unavailable.push({ method, bits, reason: message });
      }
    }
    if (failures.length === grid.bits.length) throw failures[0];
  }
  for (const { method, bits, reason } of unavailable) {
    emit({ kind: 'warning', message: `${method} at ${bits} bits is left out: ${reason}` });
  }
  return { cells, unavailable };
}

/** What `base` says of its own method does not hold for others; the group size does, for those that have one. */
function cellRecipe(base: Recipe, given: ReturnType<typeof parseMethod>): Recipe {
  const { ratio: _ratio, allocation: _allocation, groupSize, ...shared } = withoutBudget(base);
  const method = given.method!;
  const takesGroups = Object.hasOwn(solvers, method) && 'groupSize' in solvers[method]!.optionsSchema.shape;
  const settings = takesGroups && groupSize !== undefined ? { ...shared, groupSize } : shared;
  return resolveRecipe({ ...settings, options: {}, sequential: false, ...given }, `method ${method}`);
}

function check(model: OnnxModel, sites: readonly LinearSite[], recipe: Recipe, emit: Emit) {
  const plans = selectSites(sites, recipe);
  checkSites(model, plans);
  checkRatios(plans, recipe);
  return { recipe: adoptStorage(plans, recipe, emit), isCalibrated: isCalibrated(plans, recipe) };
}

function saysBits(method: string): CompressionError {
  return new CompressionError(
    'INVALID_OPTION',
    `--methods ${method}: the widths of a study are those of --bits; name the method alone.`,
    {
      method,
    },
  );
}
