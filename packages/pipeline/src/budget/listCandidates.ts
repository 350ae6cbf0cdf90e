import { CompressionError, type LinearSite } from '@quern/core';
import type { BlockCut, OnnxModel } from '@quern/onnx';
import { multipliesTwoBits, type Recipe } from '../recipe.ts';
import { checkSites } from '../solve/checkSites.ts';
import { scaleCosts } from '../solve/scaleCosts.ts';
import { plansInTotals, selectSites } from '../solve/selectSites.ts';
import {
  checkRatio,
  groupSizeOf,
  nominalBitsOf,
  plannedStorageBits,
  type SitePlan,
  solverOf,
} from '../solve/sitePlan.ts';
import { type MethodSettings, methodSettings } from './methodSettings.ts';

/** A site and the ways in which it can be treated, at least one. */
export interface SiteCandidates {
  readonly site: LinearSite;
  readonly plans: readonly SitePlan[];
}

/**
 * What every site can choose from: the methods of the recipe with the settings that their text leaves open. Rules and exclusions hold as
 * in any run, so a rule that gives bits leaves its sites that one way. Ways that a site's shape does not allow, and widths that
 * the storage makes as wide as a better one, are left out.
 *
 * Errors: those of `methodSettings`, `selectSites` and `checkSites`.
 */
export function listCandidates(
  model: OnnxModel,
  sites: readonly LinearSite[],
  cuts: readonly BlockCut[] | null,
  recipe: Recipe,
): SiteCandidates[] {
  const { methods = [] } = recipe;
  if (methods.length > 1 && Object.keys(recipe.options).length > 0) {
    throw new CompressionError(
      'INVALID_OPTION',
      `options: with several methods (${methods.join(', ')}) nothing tells whose they are; give them in rules.`,
    );
  }
  const found = new Map<string, { site: LinearSite; plans: Map<string, SitePlan> }>();
  const inRules = recipe.rules.flatMap(({ method }) => (method === undefined || method === 'none' ? [] : [method]));
  const named = methods.flatMap(text => methodSettings(text, recipe));
  const first = named[0]!;
  const base = selectSites(sites, withSettings(recipe, first), first.method!);
  const ruled = new Map(base.filter(plan => inRules.includes(plan.solver)).map(plan => [plan.site.name, plan.solver]));
  const others = [...new Set(ruled.values())].filter(method => !named.some(settings => settings.method === method));
  const folding = new Map<string, ReadonlySet<string>>();
  for (const settings of [...named, ...others.flatMap(method => methodSettings(method, recipe))]) {
    const method = settings.method!;
    const plans = selectSites(sites, withSettings(recipe, settings), method);
    // A method that stands in rules alone is for their sites.
    const own = !others.includes(method) ? plans : plans.filter(plan => ruled.get(plan.site.name) === method);
    // Bits change neither where a scale folds nor what can be captured.
    if (!folding.has(method)) {
      checkSites(model, own);
      folding.set(
        method,
        new Set(
          scaleCosts(model, own, cuts)
            .filter(folds)
            .map(({ site }) => site.name),
        ),
      );
    }
    for (const given of own) {
      // A rule that gives bits leaves its sites that one way.
      if (settings.options && given.options.bits !== settings.bits) continue;
      const isFolding = given.solver === method && folding.get(method)!.has(given.site.name);
      const plan = isFolding ? { ...given, options: { ...given.options, ...FOLDED } } : given;
      const known = found.get(plan.site.name) ?? { site: plan.site, plans: new Map() };
      found.set(plan.site.name, known);
      if (isPossible(plan, recipe)) known.plans.set(JSON.stringify([plan.solver, plan.options]), plan);
    }
  }
  const all = [...found.values()].map(({ site, plans }) => ({
    site,
    plans: withoutWider([...plans.values()], recipe),
  }));
  checkChoices(all, recipe);
  return all;
}

/** What `scaleCosts` says of a plan whose input scale folds into what gives the input. */
const FOLDED = { inputScaleBits: 0 };

function folds({ options }: SitePlan): boolean {
  return options.inputScaleBits === FOLDED.inputScaleBits;
}

/** A recipe that treats every site in one way. */
function withSettings(recipe: Recipe, { method, bits, groupSize, ratio, options }: MethodSettings): Recipe {
  const all = { ...recipe.options, ...options };
  return { ...recipe, method: method!, bits, groupSize, ratio, options: all, allocation: undefined };
}

function isPossible(plan: SitePlan, { target }: Recipe): boolean {
  // The kernels of that target read no 2 bits.
  if (target === 'cuda' && nominalBitsOf(plan) <= 2 && multipliesTwoBits(plan.solver)) return false;
  try {
    plannedStorageBits(plan);
    checkRatio(plan);
    return true;
  } catch (error) {
    if (error instanceof CompressionError && error.code === 'INVALID_OPTION') return false;
    throw error;
  }
}

/** In containers, of the widths of one method and group that store alike the largest. */
function withoutWider(plans: readonly SitePlan[], { storage }: Recipe): SitePlan[] {
  if (storage !== 'container') return [...plans];
  const widest = new Map<string, SitePlan>();
  for (const plan of plans) {
    const key = JSON.stringify([
      plan.solver,
      { ...plan.options, bits: null, groupSize: groupSizeOf(plan) },
      plannedStorageBits(plan),
    ]);
    const known = widest.get(key);
    if (!known || nominalBitsOf(plan) > nominalBitsOf(known)) widest.set(key, plan);
  }
  return [...widest.values()];
}

function checkChoices(candidates: readonly SiteCandidates[], { target }: Recipe): void {
  const counted = new Set(plansInTotals(candidates.flatMap(({ plans }) => plans)).map(({ site }) => site.name));
  for (const { site, plans } of candidates) {
    if (plans.length === 0) {
      const message = `${site.name} [${site.outFeatures}, ${site.inFeatures}]: no method of the budget can treat this shape${target === 'cuda' ? ' in 4 or 8 bits, which is what the CUDA kernels read' : ''}: name others, or --exclude it.`;
      throw new CompressionError('INVALID_OPTION', message, { site: site.name });
    }
    if (plans.some(plan => solverOf(plan).needs === 'group')) {
      const message = `${site.name}: ${plans[0]!.solver} solves several blocks together, and a budget chooses site by site: use another method in its rule.`;
      throw new CompressionError('INVALID_OPTION', message, { site: site.name });
    }
    if (plans.length > 1 && !counted.has(site.name)) {
      const message = `${site.name} stands beside the blocks, whose bits the budget shares out: give it method, bits and groupSize in its rule.`;
      throw new CompressionError('INVALID_OPTION', message, { site: site.name });
    }
  }
}
