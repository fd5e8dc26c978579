import type { AccountState } from "#core/account-state.ts";
import { HOURS, WHOLE_HOURS, WORD } from "#core/cells.ts";
import { changesOf } from "#core/changes.ts";
import { FEATURE_INDEX, featureRecord } from "#core/features.ts";
import type { Drifted, Family, Flag, Reason, Severity } from "#core/flag.ts";
import type { Links } from "#core/linkage.ts";
import { GROUND_GONE } from "#core/merge.ts";
import { HOUR_MS } from "#core/metrics.ts";
import type { Contribution } from "#core/model.ts";
import { SILENCE_LOG2 } from "#core/rate-changes.ts";
import { independentFamilies, reasonsFor } from "#core/reasons.ts";
import type { ListVersion, Match } from "#core/screening.ts";
import type { Sighting } from "#core/sightings.ts";
import { hashText } from "#core/sketch.ts";
import type { FlagEvidence } from "#core/store.ts";
import { SCORED_TYPOLOGIES } from "#core/typologies.ts";

/** What an operator sets. */
export interface Policy {
  /** Score from which an account is flagged. */
  threshold: number;
  /** Independent families that must agree. */
  minimumFamilies: number;
  /** Largest conformal p-value that is flagged: what is common among honest accounts of one's kind is no news. */
  maximumP?: number;
}

/** One scored window of one account. */
export interface Scored {
  state: AccountState;
  atMs: number;
  row: Float32Array;
  links: Links;
  value: number;
  /** Part of honest accounts of its hardware and age that score as high; absent where no reference was asked. */
  conformalP?: number;
  typologies: readonly { name: string; probability: number }[];
  contributions: readonly Contribution[];
  model: { name: string; version: string };
  lists: readonly ListVersion[];
  /** Features that drifted too far for the score to mean what it says; absent or empty: none. */
  drift?: readonly Drifted[];
}

/** The decision, with its reason where there is no flag. */
export type Assessment =
  | { flag: Flag }
  | { refused: "below-threshold" | "ordinary-of-its-kind" | "too-few-families" | "screened" };

/** Typologies below this probability are not named. */
const LEAST_PROBABILITY = 0.1;

/** Decides whether a scored window becomes a flag: calibrated score and independent families, never geography alone. */
export function assess(scored: Scored, policy: Policy): Assessment {
  if (!(scored.value >= policy.threshold)) return { refused: "below-threshold" };
  const { maximumP = 1 } = policy;
  if ((scored.conformalP ?? 0) > maximumP) return { refused: "ordinary-of-its-kind" };
  const { state, atMs, row, links, contributions, drift = [] } = scored;
  const reasons = reasonsFor(state, row, links, contributions);
  const agreeing = independentFamilies(reasons);
  if (agreeing < policy.minimumFamilies) return { refused: "too-few-families" };
  if (!(beyondScreening(scored) >= policy.threshold)) return { refused: "screened" };
  const at = new Date(atMs).toISOString();
  const ranked = [...scored.typologies].sort((a, b) => b.probability - a.probability);
  return {
    flag: {
      id: flagId("anomaly", state.pool, state.account, atMs),
      kind: "anomaly",
      pool: state.pool,
      account: state.account,
      openedAt: at,
      updatedAt: at,
      state: "open",
      typologies: ranked
        .filter(({ probability }, index) => index === 0 || probability >= LEAST_PROBABILITY)
        .slice(0, 4),
      score: scored.value,
      severity: severityOf(drift.length > 0 ? Number.NaN : estimated(scored), agreeing),
      families: familiesOf(reasons),
      reasons,
      ...(drift.length > 0 ? { drift: [...drift] } : {}),
      model: scored.model,
      lists: [...scored.lists],
    },
  };
}

const SANCTIONED_PLACE = FEATURE_INDEX.get("origin.comprehensive") as number;

/**
 * The value of an account that was seen in a sanctioned place without that place's own part, which no typology has: its
 * screening hit stands already, and a second flag for the same would tell nothing more.
 */
function beyondScreening({ row, value, typologies }: Scored): number {
  if (!((row[SANCTIONED_PLACE] as number) > 0)) return value;
  return typologies.reduce((sum, { probability }) => sum + probability, 0);
}

/** The part of the score that is a probability: what a description adds is a rank. */
function estimated({ value, typologies }: Scored): number {
  const added = typologies.filter(({ name }) => !SCORED_TYPOLOGIES.includes(name));
  return added.reduce((left, { probability }) => left - probability, value);
}

function familiesOf(reasons: readonly Reason[]): Family[] {
  return [...new Set(reasons.map(({ family }) => family))];
}

/** With a score of NaN, one that cannot be trusted, the families alone decide: medium at most. */
function severityOf(score: number, families: number): Severity {
  if (score >= 0.95 && families >= 4) return "critical";
  if (score >= 0.8 && families >= 3) return "high";
  return score >= 0.65 || families >= 3 ? "medium" : "low";
}

/** The flag of a direct hit: a sanctioned place, or a value on a list. Raised at once, without waiting for a window. */
export function screeningFlag(
  sighting: Sighting,
  matches: readonly Match[],
  lists: readonly ListVersion[],
): Flag {
  const at = new Date(sighting.atMs).toISOString();
  const wallet = sighting.kind !== "source";
  const { origin } = sighting;
  const place = origin ? [origin.country, origin.region].filter((part) => part !== "").join(" ") : "";
  const onLists = matches.map(({ list }) => `${list.name} (${list.version})`).join(", ");
  const listed = matches.map(({ entry, note, source, list }) => ({
    type: "list",
    entry,
    note,
    source,
    ...list,
  }));
  const reason: Reason = wallet
    ? {
        code: "SCREENING_ADDRESS",
        family: "payout",
        text: `${sighting.kind === "account" ? "The account" : "The payout address"} ${sighting.value} is on ${onLists}.`,
        weight: 1,
        evidence: listed,
      }
    : {
        code: "SCREENING_ORIGIN",
        family: "origin",
        text:
          origin?.tier === "comprehensive"
            ? `A source of this account, ${sighting.value}, stands in ${place}, a place under comprehensive sanctions.`
            : `A source of this account, ${sighting.value} (${place}), is on ${onLists}.`,
        weight: 1,
        evidence: [
          { type: "source", ip: sighting.value, country: origin?.country, region: origin?.region, at },
          ...(origin?.facts ?? []).map((fact) => ({ type: "fact", ...fact })),
          ...listed,
        ],
      };
  const typology = wallet ? "sanctioned-wallet" : "sanctioned-origin";
  const score = wallet ? 1 : (origin?.confidence ?? 0);
  return {
    id: flagId("screening", sighting.pool, sighting.account, sighting.atMs),
    kind: "screening",
    pool: sighting.pool,
    account: sighting.account,
    openedAt: at,
    updatedAt: at,
    state: "open",
    typologies: [{ name: typology, probability: score }],
    score,
    severity: wallet ? "critical" : "high",
    families: [reason.family],
    reasons: [reason],
    model: { name: "screening", version: "1" },
    lists: [...lists],
  };
}

/**
 * What an open screening flag is told when a list no longer has what it rests on: the flag stays for a human to close,
 * and says that its ground has gone.
 */
export function groundGoneFlag(
  sighting: Sighting,
  lost: readonly Match[],
  lists: readonly ListVersion[],
): Flag {
  const flag = screeningFlag(sighting, lost, lists);
  // A source meets a place or a network; a wallet's entry is its own address.
  const met = (match: Match) =>
    sighting.kind === "source" ? `${match.entry} of ${match.list.name}` : match.list.name;
  const names = [...new Set(lost.map(met))].join(", ");
  const word = sighting.kind === "source" ? "meets" : "is on";
  const reason: Reason = {
    code: GROUND_GONE,
    family: sighting.kind === "source" ? "origin" : "payout",
    text: `${sighting.value} no longer ${word} ${names} since ${flag.updatedAt.slice(0, 10)}: what rests on it has lost its ground.`,
    weight: 0,
    evidence: lists.map((list) => ({ type: "list-version", ...list })),
  };
  return { ...flag, severity: "low", score: 0, reasons: [reason] };
}

/** The same account, kind and instant always give the same id: what is processed again after a crash is known again. */
function flagId(kind: string, pool: string, account: string, atMs: number): string {
  const text = `${kind}\n${pool}\n${account}\n${atMs}`;
  const hex = [0x811c9dc5, 0x01000193, 0x9e3779b9].map((seed) =>
    hashText(text, seed).toString(16).padStart(8, "0"),
  );
  return `flg_${hex.join("")}`;
}

/** What a flag's page shows beside the flag, as of `atMs`. `row` is absent for screening hits. */
export function evidenceOf(state: AccountState | undefined, atMs: number, row?: Float32Array): FlagEvidence {
  const features = row ? featureRecord(row) : {};
  const newest = Math.floor(atMs / HOUR_MS) - 1;
  const evidence: FlagEvidence = {
    fromMs: (newest - WHOLE_HOURS + 1) * HOUR_MS,
    workPerHour: [],
    sharesPerHour: [],
    changes: [],
    sources: [],
    features,
  };
  if (!state) return evidence;
  const { floats, wordAt } = state.place;
  for (let hour = newest - WHOLE_HOURS + 1; hour <= newest; hour += 1) {
    evidence.sharesPerHour.push(floats[wordAt + WORD.hourShares + (hour % HOURS)] as number);
    evidence.workPerHour.push(floats[wordAt + WORD.hourWork + (hour % HOURS)] as number);
  }
  evidence.changes = changesOf(state).map(({ atMs: when, log2Ratio, logLikelihoodRatio }) => {
    return { atMs: when, ratio: 2 ** log2Ratio, logLikelihoodRatio };
  });
  evidence.sources = state.sources
    .map(({ origin, agent, shares, work, firstMs, lastMs }) => {
      const { ip, country, region, asn, holder, kind, tier } = origin;
      const facts = origin.facts.map((fact) => ({ ...fact }));
      return { ip, country, region, asn, holder, kind, tier, agent, shares, work, firstMs, lastMs, facts };
    })
    .sort((a, b) => b.work - a.work);
  return { ...evidence, ...closeEvidence(state) };
}

/** What was found by looking closely at a watched account; nothing where nothing was. */
function closeEvidence({ closeLook }: AccountState): Pick<FlagEvidence, "workers" | "extremes"> {
  const { workerChanges = [], extremeHours = [] } = closeLook ?? {};
  const workers = workerChanges.map(({ worker, atMs, log2Ratio, logLikelihoodRatio }) => ({
    worker,
    became: becameOf(log2Ratio),
    atMs,
    ratio: 2 ** log2Ratio,
    logLikelihoodRatio,
  }));
  return {
    ...(workers.length > 0 ? { workers } : {}),
    ...(extremeHours.length > 0 ? { extremes: extremeHours.map((hour) => ({ ...hour })) } : {}),
  };
}

/** A change to silence or back from it is of the floor's size and not a measurement. */
function becameOf(log2Ratio: number): "silent" | "back" | "changed" {
  if (log2Ratio <= -SILENCE_LOG2) return "silent";
  return log2Ratio === SILENCE_LOG2 ? "back" : "changed";
}
