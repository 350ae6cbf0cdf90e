import { type ChoiceTable, combineChoices, predictLoss, tabulateChoices } from '@quern/solvers';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';
import type { MeasuredCandidate, MeasuredSite } from './measureSites.ts';
import type { MeasuredUnit } from './measureUnits.ts';

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
 * whether they do. Sites that a solver takes for one weight where they are treated alike choose together too: `units` says what that gains.
 */
export function candidateTable(sites: readonly MeasuredSite[], units: readonly MeasuredUnit[] = []): CandidateTable {
  const items = itemsOf(sites, units);
  const table: ChoiceTable = tabulateChoices(items.map(item => item.choices));
  const toPlans = (selection: ReturnType<ChoiceTable['within']>): ChosenPlans | null => {
    if (selection === null) return null;
    const chosen = new Map(
      selection.chosen.flatMap((choice, item) =>
        items[item]!.choices[choice]!.plans.map(plan => [plan.site.name, plan]),
      ),
    );
    const plans = sites.map(site => chosen.get(nameOf(site))!);
    return { plans, bits: selection.bits, loss: selection.loss };
  };
  return {
    leastBits: table.leastBits,
    mostBits: table.mostBits,
    within: bits => toPlans(table.within(bits)),
    under: loss => toPlans(table.under(loss)),
    uniformWithin(bits) {
      const fitting = uniformPlans(sites, units).filter(plans => plans.bits <= bits);
      return fitting.length === 0 ? null : fitting.reduce((best, plans) => (plans.loss < best.loss ? plans : best));
    },
  };
}

/** Every way that all sites with a choice can be treated in. */
function uniformPlans(sites: readonly MeasuredSite[], units: readonly MeasuredUnit[]): UniformPlans[] {
  const first = sites.find(({ candidates }) => candidates.length > 1);
  const ways = new Map(first?.candidates.map(({ plan }) => [wayOf(plan), plan]));
  return [...ways].flatMap(([way, free]) => {
    const together = units.filter(unit => unit.plans.every(plan => wayOf(plan) === way));
    const inUnits = new Set(together.flatMap(unit => unit.plans.map(({ site }) => site.name)));
    const apart = sites.filter(site => !inUnits.has(nameOf(site)));
    const single = apart.map(site => {
      const candidate = site.candidates.find(({ plan }) => site.candidates.length === 1 || wayOf(plan) === way);
      return candidate && optionOf(site, candidate);
    });
    if (!single.every(option => option !== undefined)) return [];
    const chosen = [...together.map(unit => optionOfUnit(sites, unit)), ...single];
    const planOf = new Map(chosen.flatMap(option => option.plans.map(plan => [plan.site.name, plan])));
    const plans = sites.map(site => planOf.get(nameOf(site))!);
    return [{ free, plans, bits: sum(chosen, 'bits'), loss: sum(chosen, 'loss') }];
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

/** Sites that choose together, and what they can choose. */
interface Item {
  readonly sites: readonly MeasuredSite[];
  readonly choices: readonly Option[];
}

/** What chooses by itself: each site, or several that are bound by an input scale or can be one weight. */
function itemsOf(sites: readonly MeasuredSite[], units: readonly MeasuredUnit[]): readonly Item[] {
  let items = [...Map.groupBy(sites, inputOf).values()].flatMap(readerItems);
  const weights = Map.groupBy(units, ({ plans }) => JSON.stringify(plans.map(({ site }) => site.name)));
  for (const own of weights.values()) {
    const names = new Set(own[0]!.plans.map(({ site }) => site.name));
    const isIn = (item: Item): boolean => item.sites.some(site => names.has(nameOf(site)));
    const bound = items.filter(isIn);
    const joined = bound.flatMap(item => item.sites);
    const rest = joined.filter(site => !names.has(nameOf(site)));
    const inputs = new Set(joined.filter(site => names.has(nameOf(site))).map(inputOf));
    const others = itemsOf(rest, []).map(item => ({
      ...item,
      choices: item.choices.filter(({ plans }) =>
        plans.every(plan => !inputs.has(plan.site.inputName) || !solverOf(plan).scalesInput),
      ),
    }));
    const together = own.flatMap(unit => combined([{ choices: [optionOfUnit(sites, unit)] }, ...others]));
    items = [...items.filter(item => !isIn(item)), { sites: joined, choices: [...combined(bound), ...together] }];
  }
  return items;
}

/** Each site that reads an input, or all of them where some of their ways bind the others. */
function readerItems(readers: readonly MeasuredSite[]): Item[] {
  const options = readers.map(site => site.candidates.map(candidate => optionOf(site, candidate)));
  const kinds = new Set(options.flat().map(bindingOf));
  const single = options.map((choices, index) => ({ sites: [readers[index]!], choices }));
  if (readers.length === 1 || kinds.size === 1) return single;
  const together = [...kinds].flatMap(kind =>
    combined(single.map(({ choices }) => ({ choices: choices.filter(choice => bindingOf(choice) === kind) }))),
  );
  // A site that a rule binds to one kind leaves the others free.
  return together.length > 0 ? [{ sites: readers, choices: together }] : single;
}

/** All that items can choose together, but for what another choice beats; none where one of them has nothing to choose. */
function combined(items: readonly Pick<Item, 'choices'>[]): Option[] {
  if (items.some(({ choices }) => choices.length === 0)) return [];
  return combineChoices(items.map(({ choices }) => choices)).map(({ bits, loss, parts }) => ({
    ...{ bits, loss },
    plans: parts.flatMap((part, index) => items[index]!.choices[part]!.plans),
  }));
}

/** The method that all readers of an input must share, null for those that bind no other site. */
function bindingOf({ plans: [plan] }: Option): string | null {
  return solverOf(plan!).scalesInput ? plan!.solver : null;
}

function optionOf(site: MeasuredSite, { plan, bits, error }: MeasuredCandidate): Option {
  return { bits, loss: lossOf(site, error), plans: [plan] };
}

/** Of sites that are one weight: each loses by the mean of their errors. */
function optionOfUnit(sites: readonly MeasuredSite[], { plans, bits, error }: MeasuredUnit): Option {
  const names = new Set(plans.map(({ site }) => site.name));
  const members = sites.filter(site => names.has(nameOf(site)));
  return { bits, loss: members.reduce((total, site) => total + lossOf(site, error), 0), plans };
}

function lossOf({ losses }: MeasuredSite, error: number): number {
  return losses.length === 0 ? error : predictLoss(losses, error);
}

function nameOf({ candidates }: MeasuredSite): string {
  return candidates[0]!.plan.site.name;
}

function inputOf({ candidates }: MeasuredSite): string {
  return candidates[0]!.plan.site.inputName;
}

function sum(options: readonly Option[], figure: 'bits' | 'loss'): number {
  return options.reduce((total, option) => total + option[figure], 0);
}
