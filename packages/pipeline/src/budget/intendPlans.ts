import { CompressionError } from '@quern/core';
import { findBlockCuts, findLinearSites } from '@quern/onnx';
import type { Emit } from '../events.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { adoptStorage } from '../output/adoptStorage.ts';
import { measureRest } from '../output/packed/measureRest.ts';
import { tellSlowAttention } from '../output/tellSlowAttention.ts';
import type { Recipe } from '../recipe.ts';
import { checkRatios } from '../solve/checkRatios.ts';
import { checkSites } from '../solve/checkSites.ts';
import { selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { adoptMethods } from './adoptMethods.ts';
import { type BudgetRange, budgetRange, checkBudget } from './checkBudget.ts';
import { listCandidates, type SiteCandidates } from './listCandidates.ts';
import { type Budget, readBudget } from './readBudget.ts';

/** What is to be done to a model, as far as it is known before work. */
export interface IntendedPlans {
  /** With storage, arithmetic and methods as the model and the rest of it call for. */
  readonly recipe: Recipe;
  /** One a site; with a budget one of those that it can choose. */
  readonly plans: readonly SitePlan[];
  /** Null without a budget: every site's plan is known. */
  readonly choice: IntendedChoice | null;
}

/** What a budget chooses among. */
export interface IntendedChoice {
  readonly budget: Budget;
  readonly candidates: readonly SiteCandidates[];
  readonly range: BudgetRange;
  /** Bytes of everything that is no site; null where the budget does not count them. */
  readonly restBytes: number | null;
}

/**
 * Settles what a recipe does to a model, and checks all of it that can be wrong, before any work.
 *
 * Errors: those of `selectSites`, `checkSites`, `checkRatios`, `adoptDtype`, `listCandidates`; INVALID_OPTION for a budget that cannot be
 * met, with the least or most that can. Cost: with a size, that of `measureRest`.
 */
export async function intendPlans(opened: OpenedModel, given: Recipe, emit: Emit): Promise<IntendedPlans> {
  const { model } = opened;
  const sites = findLinearSites(model);
  const budget = readBudget(given);
  if (budget === null) {
    const plans = selectSites(sites, given);
    checkSites(model, plans);
    checkRatios(plans, given);
    const recipe = adoptStorage(plans, adoptDtype(opened, plans, given), emit);
    tellSlowAttention(model, recipe, emit);
    return { recipe, plans, choice: null };
  }
  const stored = adoptMethods(given);
  const candidates = listCandidates(model, sites, findBlockCuts(model), stored);
  if (candidates.length === 0) {
    throw new CompressionError(
      'INVALID_OPTION',
      'A budget has nothing to share out: the model has no linear site to solve.',
    );
  }
  // The last ones are those that change most around them.
  const plans = candidates.map(({ plans }) => plans.at(-1)!);
  const recipe = adoptDtype(opened, plans, stored);
  tellSlowAttention(model, recipe, emit);
  const range = budgetRange(candidates, recipe);
  checkBudget(budget, range, null);
  const restBytes = budget.kind === 'size' ? await measureRest(opened, plans, recipe) : null;
  checkBudget(budget, range, restBytes);
  return { recipe, plans, choice: { budget, candidates, range, restBytes } };
}
