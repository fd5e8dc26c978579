import type { Analysis } from "#core/analysis.ts";
import { assess, evidenceOf, type Policy, screeningFlag } from "#core/assess.ts";
import type { Batch } from "#core/collector.ts";
import { FEATURES } from "#core/features.ts";
import type { Drifted, Flag } from "#core/flag.ts";
import { noteFlagged } from "#core/flagged.ts";
import { NO_LINKS } from "#core/linkage.ts";
import { DAY_MS } from "#core/metrics.ts";
import type { Model } from "#core/model.ts";
import type { ListVersion, Match, Screen, Screening } from "#core/screening.ts";
import { type Sighting, type Standing, subjectOf } from "#core/sightings.ts";
import type { FlagEvidence, Raised } from "#core/store.ts";
import type { Window } from "#core/window.ts";

/** What an operator sets for the flags of a day. */
export interface DayPolicy {
  alertsPerDay: number;
  /**
   * Most that may be expected to be false of the flags opened in a day, as a part: values are probabilities, so a flag
   * is false with 1 less its value, and the mean of that is kept (local false discovery rate: Efron et al., JASA 2001).
   */
  falseDiscoveryRate?: number;
}

/** What the way from an observation to a flag is made of. */
export interface PipelineOptions {
  analysis: Analysis;
  model: Model;
  screen: Screen;
  lists: () => readonly ListVersion[];
  policy: Policy & DayPolicy;
  /** Makes a flag durable; called in order and awaited. */
  raise: (flag: Flag, evidence: FlagEvidence) => Promise<Raised>;
  /** Every screening made, misses too, and what was met, after its flags are durable. */
  onScreenings?: (screenings: Screening[], standings: Standing[]) => Promise<void>;
  /** Every window scored, as a whole, before its flags are made; awaited. */
  onWindow?: (window: Window, values: Float32Array) => Promise<void>;
  /** Features of a pool that drifted too far for the score's thresholds to hold. */
  drifted?: (pool: string) => readonly Drifted[];
  /** Conformal p-value of a vector's value among honest accounts of its kind. Absent: not asked. */
  conformalP?: (row: Float32Array, value: number) => number;
  /** Every score, flagged or not. */
  onScore?: (score: AccountScore) => void;
}

/** The score of one account in one window; `window` is its end. */
export interface AccountScore {
  pool: string;
  account: string;
  window: string;
  value: number;
  typologies: Record<string, number>;
}

/** Counts of what the pipeline decided. */
export interface PipelineCounts {
  observations: number;
  refused: number;
  unknownFields: number;
  windows: number;
  scored: number;
  flags: number;
  deferred: number;
  /** Put off because too many of the day's flags would have to be expected to be false. */
  doubtful: number;
}

/** Observation → state → features → score → flag, one batch at a time. Callers must not overlap calls. */
export interface Pipeline {
  take(batch: Batch): Promise<void>;
  /** Raises what a screening met beside those that observations bring. */
  hit(sighting: Sighting, matches: readonly Match[]): Promise<void>;
  /** Lets event time pass without an observation. */
  advance(nowMs: number): Promise<void>;
  /** The input has ended: scores a last window at the end of its hour. */
  finish(): Promise<void>;
  readonly counts: Readonly<PipelineCounts>;
}

/** Joins the parts. Holds no state of its own but the day's alert budget and counts. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { analysis, model, screen, lists, policy, raise, onScreenings, onScore } = options;
  const counts: PipelineCounts = {
    observations: 0,
    refused: 0,
    unknownFields: 0,
    windows: 0,
    scored: 0,
    flags: 0,
    deferred: 0,
    doubtful: 0,
  };
  const budget = { day: -1, opened: 0, expectedFalse: 0 };

  async function screenSightings(sightings: readonly Sighting[]): Promise<void> {
    const screenings: Screening[] = [];
    const standings: Standing[] = [];
    for (const sighting of sightings) {
      const { kind, pool, account, value, origin, atMs } = sighting;
      const screening = screen(subjectOf(sighting), value, atMs);
      const { matches } = screening;
      screenings.push(screening);
      if (matches.length > 0) standings.push({ kind, pool, account, value, matches });
      if (matches.length > 0 || origin?.tier === "comprehensive") await hit(sighting, matches);
    }
    if (screenings.length > 0) await onScreenings?.(screenings, standings);
  }

  async function hit(sighting: Sighting, matches: readonly Match[]): Promise<void> {
    const state = analysis.account(sighting.pool, sighting.account);
    const raised = await raise(screeningFlag(sighting, matches, lists()), evidenceOf(state, sighting.atMs));
    if (raised === "opened") counts.flags += 1;
  }

  async function scoreWindow(window: Window): Promise<void> {
    const { accounts, rows, atMs, links } = window;
    const scores = await model.score(rows, accounts.length);
    await options.onWindow?.(window, scores.value);
    counts.windows += 1;
    counts.scored += accounts.length;
    const width = model.typologies.length;
    const typologiesOf = (index: number) =>
      model.typologies.map((name, column) => ({
        name,
        probability: scores.typologies[index * width + column] as number,
      }));
    if (onScore) {
      const end = new Date(atMs).toISOString();
      for (const [index, { pool, account }] of accounts.entries()) {
        const typologies = Object.fromEntries(
          typologiesOf(index).map(({ name, probability }) => [name, probability]),
        );
        onScore({ pool, account, window: end, value: scores.value[index] as number, typologies });
      }
    }
    const candidates = accounts
      .map((_, index) => index)
      .filter((index) => (scores.value[index] as number) >= policy.threshold);
    candidates.sort((a, b) => (scores.value[b] as number) - (scores.value[a] as number));
    const held = new Set<number>();
    for (const index of candidates) {
      const state = accounts[index] as (typeof accounts)[number];
      const row = rows.subarray(index * FEATURES.length, (index + 1) * FEATURES.length);
      const value = scores.value[index] as number;
      const rare = options.conformalP ? { conformalP: options.conformalP(row, value) } : {};
      const contributions = await model.explain(row);
      const assessed = assess(
        {
          state,
          atMs,
          row,
          links: links.get(state) ?? NO_LINKS,
          value,
          ...rare,
          typologies: typologiesOf(index),
          contributions,
          model: { name: model.name, version: model.version },
          lists: lists(),
          drift: options.drifted?.(window.pool) ?? [],
        },
        policy,
      );
      // What a screening hit says already is no more learned as normal than what is flagged.
      if ("flag" in assessed || assessed.refused === "screened") held.add(index);
      if (!("flag" in assessed)) continue;
      const counterfactual = await model.counterfactual(row, policy.threshold, contributions);
      await raiseWithin(assessed.flag, { ...evidenceOf(state, atMs, row), ...rare, counterfactual }, atMs);
    }
    for (const [index, state] of accounts.entries()) noteFlagged(state, held.has(index), atMs);
  }

  /**
   * The alert budget counts flags opened per day of event time, and how many of them are expected to be false; what
   * exceeds either is counted and comes again next window.
   */
  async function raiseWithin(flag: Flag, evidence: FlagEvidence, atMs: number): Promise<void> {
    const day = Math.floor(atMs / DAY_MS);
    if (budget.day !== day) {
      budget.day = day;
      budget.opened = 0;
      budget.expectedFalse = 0;
    }
    if (budget.opened >= policy.alertsPerDay) {
      counts.deferred += 1;
      return;
    }
    const expectedFalse = budget.expectedFalse + 1 - flag.score;
    if (expectedFalse > (policy.falseDiscoveryRate ?? 1) * (budget.opened + 1)) {
      counts.doubtful += 1;
      return;
    }
    if ((await raise(flag, evidence)) !== "opened") return;
    budget.opened += 1;
    budget.expectedFalse = expectedFalse;
    counts.flags += 1;
  }

  async function follow(): Promise<void> {
    const sightings = analysis.takeSightings();
    if (sightings.length > 0) await screenSightings(sightings);
    for (const window of analysis.takeWindows()) await scoreWindow(window);
  }

  return {
    counts,
    async take(batch) {
      counts.observations += batch.observations.length;
      counts.unknownFields += batch.unknownFields ?? 0;
      for (const refusal of batch.refusals ?? []) counts.refused += refusal.count ?? 1;
      analysis.take(batch.observations);
      await follow();
    },
    hit,
    async advance(nowMs) {
      analysis.advance(nowMs);
      await follow();
    },
    async finish() {
      analysis.finish();
      await follow();
    },
  };
}
