import type { CompressRequest } from '../compressRequest.ts';
import { chooseDevice } from '../device/chooseDevice.ts';
import type { Emit } from '../events.ts';
import { measurementStore } from '../measure/measurementStore.ts';
import { hashFiles } from '../open/hashFiles.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { openEngine } from '../openEngine.ts';
import { originOf } from '../solve/originOf.ts';
import { type PlannedSite, planSizes } from '../solve/planSizes.ts';
import { budgetMaterial } from './budgetMaterial.ts';
import type { BudgetFigures } from './budgetReport.ts';
import { candidateTable } from './candidateTable.ts';
import { expectedFigures } from './expectedFigures.ts';
import type { IntendedChoice } from './intendPlans.ts';
import { recallSites } from './measureSites.ts';
import type { Budget } from './readBudget.ts';
import { firstChoice } from './searchIncrease.ts';
import { sizeLimit } from './sizeLimit.ts';

/** What a budget would come to, as far as it is known. */
export interface BudgetPlan {
  readonly asked: Budget;
  /** Stored bits per weight of the smallest and the largest choices. */
  readonly leastBitsPerWeight: number;
  readonly mostBitsPerWeight: number;
  /** Of the choice; null before the model was measured by a run. */
  readonly predicted: BudgetFigures | null;
}

/**
 * The choice that a run would begin with, where an earlier one has measured the model; else what all sites share. Nothing is measured.
 *
 * Errors: those of `budgetMaterial`. Cost: the files of the model are hashed.
 */
export async function planBudget(
  opened: OpenedModel,
  request: CompressRequest,
  choice: IntendedChoice,
  emit: Emit,
): Promise<{ readonly budget: BudgetPlan; readonly sites: readonly PlannedSite[] }> {
  const { budget, candidates, range } = choice;
  const { recipe } = request;
  const measured = await recall(opened, request, choice, emit);
  const [least, most] = [range.leastBits / range.elements, range.mostBits / range.elements];
  const known = { asked: budget, leastBitsPerWeight: least, mostBitsPerWeight: most };
  if (measured) {
    const table = candidateTable(measured.sites, measured.units);
    const limit = budget.kind === 'increase' ? null : sizeLimit(choice, recipe, table, emit);
    const chosen =
      budget.kind === 'increase' ? firstChoice(table, Math.log1p(budget.share)) : table.within(limit!.bits);
    if (chosen === null) throw limit!.refuse();
    const bits = new Map(measured.sites.flatMap(site => site.candidates.map(({ plan, bits }) => [plan, bits])));
    const figure = recipe.storage === 'container' ? 'exact' : 'estimate';
    const sites = planSizes(chosen.plans, recipe).map((site, index) => ({
      ...site,
      storageBits: bits.get(chosen.plans[index]!)!,
      figure: figure as PlannedSite['figure'],
    }));
    return { budget: { ...known, predicted: expectedFigures(choice, chosen, measured.isText) }, sites };
  }
  const share =
    budget.kind === 'increase' ? most : Math.min(most, sizeLimit(choice, recipe, range, emit).bits / range.elements);
  const sites = candidates.map(({ site, plans }) => ({
    name: site.name,
    outFeatures: site.outFeatures,
    inFeatures: site.inFeatures,
    solver: [...new Set(plans.map(plan => plan.solver))].join(', '),
    nominalBits: share,
    groupSize: null,
    storageBits: share * site.outFeatures * site.inFeatures,
    figure: budget.kind === 'increase' ? ('atMost' as const) : ('target' as const),
  }));
  return { budget: { ...known, predicted: null }, sites };
}

/** What an earlier run measured of the model; null where none did, and where the model would first have to be rotated or to write. */
async function recall(opened: OpenedModel, request: CompressRequest, { candidates }: IntendedChoice, emit: Emit) {
  const { recipe } = request;
  const { device, solvesOn } = await chooseDevice(request.device, emit);
  const silent = { isCalibrated: true, original: opened, device: null, emit: () => undefined };
  const { calibration, heldOut } = await budgetMaterial(opened, { ...request, evaluate: null }, silent);
  if (calibration === null || recipe.rotate !== false) return null;
  const sources = await hashFiles(opened);
  const origin = await originOf({
    opened,
    sources,
    calibration,
    request,
    device,
    solvesOn,
    engine: await openEngine(),
  });
  const results = await measurementStore(null, emit);
  const known = await recallSites({ recipe, results, origin, heldOut }, candidates);
  return known && { ...known, isText: heldOut !== null };
}
