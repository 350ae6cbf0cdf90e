import { type ChoiceTable, combineChoices, predictLoss, tabulateChoices } from '@quern/solvers';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';
import type { MeasuredCandidate, MeasuredSite } from './measureSites.ts';

/** One plan a site, with what all of them are expected to store and to lose. */
export interface ChosenPlans {
  readonly plans: readonly SitePlan[];
  /** Stored bits of all sites. */
  readonly bits: number;
  /** Divergence from the original, nats per token; of models that read no text, the sum of the sites' squared relative errors. */
  readonly loss: number;
}

/** One way for all sites. */
export interface UniformPlans extends ChosenPlans {
  /** That of a site that no rule binds. */
  readonly free: SitePlan;
}

/** The best plans at every size, and for every loss. */
export interface CandidateTable {
  readonly leastBits: number;
  readonly mostBits: number;
  /** Null below `leastBits`. */
  readonly within: (bits: number) => ChosenPlans | null;
  /** Null where nothing loses so little. */
  readonly under: (loss: number) => ChosenPlans | null;
  /** The best that treats every site in one way, but for those that a rule binds; null where none takes so few bits. */
  readonly uniformWithin: (bits: number) => UniformPlans | null;
}

/**
 * Puts together what was measured of single sites: a candidate loses what the model is expected to lose by its error, and losses add up.
 *
 * Input scales fold into what gives the input only where all its readers have them, so sites that read one input choose together
 * whether they do.
 */
export function candidateTable(sites: readonly MeasuredSite[]): CandidateTable {
  const items = [...Map.groupBy(sites, ({ candidates }) => candidates[0]!.plan.site.inputName).values()].flatMap(
    itemsOf,
  );
  const table: ChoiceTable = tabulateChoices(items.map(item => item.choices));
  const toPlans = (selection: ReturnType<ChoiceTable['within']>): ChosenPlans | null => {
    if (selection === null) return null;
    const chosen = new Map(
      selection.chosen.flatMap((choice, item) =>
        items[item]!.choices[choice]!.plans.map(plan => [plan.site.name, plan]),
      ),
    );
    const plans = sites.map(({ candidates }) => chosen.get(candidates[0]!.plan.site.name)!);
    return { plans, bits: selection.bits, loss: selection.loss };
  };
  return {
    leastBits: table.leastBits,
    mostBits: table.mostBits,
    within: bits => toPlans(table.within(bits)),
    under: loss => toPlans(table.under(loss)),
    uniformWithin(bits) {
      const fitting = uniformPlans(sites).filter(plans => plans.bits <= bits);
      return fitting.length === 0 ? null : fitting.reduce((best, plans) => (plans.loss < best.loss ? plans : best));
    },
  };
}

/** Every way that all sites with a choice can be treated in. */
function uniformPlans(sites: readonly MeasuredSite[]): UniformPlans[] {
  const first = sites.find(({ candidates }) => candidates.length > 1);
  const ways = new Map(first?.candidates.map(({ plan }) => [wayOf(plan), plan]));
  return [...ways].flatMap(([way, free]) => {
    const chosen = sites.map(site => {
      const candidate = site.candidates.find(({ plan }) => site.candidates.length === 1 || wayOf(plan) === way);
      return candidate && optionOf(site, candidate);
    });
    if (!chosen.every(option => option !== undefined)) return [];
    const sum = (figure: (option: Option) => number) => chosen.reduce((total, option) => total + figure(option), 0);
    const plans = chosen.flatMap(option => option.plans);
    return [{ free, plans, bits: sum(option => option.bits), loss: sum(option => option.loss) }];
  });
}

/** What two sites have in common that are treated alike; where a scale folds is the graph's matter. */
function wayOf({ solver, options: { inputScaleBits: _, ...options } }: SitePlan): string {
  return JSON.stringify([solver, options]);
}

interface Option {
  readonly bits: number;
  readonly loss: number;
  readonly plans: readonly SitePlan[];
}

/** What chooses by itself: each site that reads an input, or all of them where some of their ways bind the others. */
function itemsOf(readers: readonly MeasuredSite[]): { readonly choices: readonly Option[] }[] {
  const options = readers.map(site => site.candidates.map(candidate => optionOf(site, candidate)));
  const kinds = new Set(options.flat().map(bindingOf));
  if (readers.length === 1 || kinds.size === 1) return options.map(choices => ({ choices }));
  const together = [...kinds].flatMap(kind => {
    const own = options.map(choices => choices.filter(choice => bindingOf(choice) === kind));
    if (own.some(choices => choices.length === 0)) return [];
    return combineChoices(own).map(({ bits, loss, parts }) => ({
      ...{ bits, loss },
      plans: parts.flatMap((part, site) => own[site]![part]!.plans),
    }));
  });
  // A site that a rule binds to one kind leaves the others free.
  return together.length > 0 ? [{ choices: together }] : options.map(choices => ({ choices }));
}

/** The method that all readers of an input must share, null for those that bind no other site. */
function bindingOf({ plans: [plan] }: Option): string | null {
  return solverOf(plan!).scalesInput ? plan!.solver : null;
}

function optionOf({ losses }: MeasuredSite, { plan, bits, error }: MeasuredCandidate): Option {
  return { bits, loss: losses.length === 0 ? error : predictLoss(losses, error), plans: [plan] };
}
