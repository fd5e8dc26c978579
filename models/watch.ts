import { z } from "zod";
import { FEATURE_INDEX, FEATURE_SCHEMA, FEATURES } from "#core/features.ts";
import type { Drifted } from "#core/flag.ts";
import { DAY_MS } from "#core/metrics.ts";
import {
  binFeatures,
  conformalP,
  DRIFT_STOP,
  DRIFT_WARN,
  drift,
  featureBins,
  type Reference,
  stratumOf,
} from "./reference.ts";

/** Accounts below which an index of stability is noise. */
const LEAST_ACCOUNTS = 200;
/** A pool's own reference is not taken before its oldest account was seen for so long: a week's sums must have filled. */
const SETTLE_HOURS = 8 * 24;
/** Rows kept of a pool's last day, over all its windows; of larger pools every so many accounts. */
const MOST_ROWS = 8192;
/** Pools watched at most, 2 MB each; further ones are counted. */
const MOST_POOLS = 32;
/** Features named in a flag. */
const MOST_NAMED = 8;
/** Sums over a month or a quarter, and the account's age: they go on filling long after the reference was taken. */
const FILLING = new Set([
  "operator.age",
  "hashrate.returns",
  "operator.actions",
  "operator.pyongyangHours",
  "operator.localHours",
  "operator.hoursEvidence",
  "operator.restarts",
  "operator.restartEvidence",
  "operator.concentration",
  "operator.phaseCos",
  "operator.phaseSin",
  "payout.payments",
  "payout.size",
  "payout.spread",
  "payout.nearThreshold",
  "linkage.clusterHours",
  "linkage.clusterNearThreshold",
]);
const AGE = FEATURE_INDEX.get("operator.age") as number;

const standing = z.strictObject({
  pool: z.string(),
  /** End of the window it was last measured at. */
  atMs: z.number(),
  /** Accounts of that window that were measured: those not flagged. */
  accounts: z.number(),
  /** `few`: too few accounts to say anything. `learning`: the pool's own reference is not there yet. */
  state: z.enum(["few", "learning", "steady", "warn", "stop"]),
  reference: z.strictObject({ takenMs: z.number(), accounts: z.number() }).nullable(),
  /** Stability against the pool's own reference, and distance from the training pools; null where there is none. */
  features: z.array(
    z.strictObject({ feature: z.string(), psi: z.number().nullable(), training: z.number().nullable() }),
  ),
  /** Conformal p-values of the window: their largest distance from uniform, and the part that is .01 or less. */
  conformal: z.strictObject({ distance: z.number(), low: z.number() }).nullable(),
});
/** How a pool's inputs and scores stand against what they are compared with. */
export type PoolStanding = z.infer<typeof standing>;

const kept = z.strictObject({
  schema: z.string(),
  pools: z.array(
    z.strictObject({
      standing,
      own: z.strictObject({ takenMs: z.number(), accounts: z.number(), features: featureBins }).nullable(),
    }),
  ),
});

interface Watched {
  standing: PoolStanding;
  own: z.infer<typeof kept>["pools"][number]["own"];
  /** Rows of the last day's windows. */
  day: { atMs: number; rows: Float32Array }[];
}

/** One scored window, as the watch sees it. */
export interface WatchedWindow {
  pool: string;
  atMs: number;
  /** Row-major vectors and their values, `values.length` of them. */
  rows: Float32Array;
  values: Float32Array;
  /** Rows not to be learned from: flagged accounts. */
  leftOut: (row: number) => boolean;
}

/** Watches whether a pool's vectors still look as they did, and whether scores still mean what they say. */
export interface Watch {
  take(window: WatchedWindow): PoolStanding;
  /** The features of a pool that drifted so far that the score's thresholds no longer hold, the worst first. */
  drifted(pool: string): Drifted[];
  standings(): PoolStanding[];
  /** Forgets a pool's own reference: the next day becomes the new one. False where there is none. */
  forget(pool: string): boolean;
  /** Pools beyond the bound. */
  readonly unwatched: number;
  /** What must outlive a restart; `restore` leaves out what another feature schema wrote. */
  write(): Uint8Array;
  restore(bytes: Uint8Array): void;
}

/**
 * Makes the watch of one model, of so many pools at most. `stepHours` is the time between windows. Holds no clock and
 * does no I/O.
 */
export function createWatch(reference: Reference, stepHours: number, mostPools = MOST_POOLS): Watch {
  const pools = new Map<string, Watched>();
  const unwatched = new Set<string>();
  const windows = Math.max(1, Math.round(24 / stepHours));

  function watchedOf(pool: string, atMs: number): Watched {
    const found = pools.get(pool);
    if (found) return found;
    const fresh: Watched = { standing: empty(pool, atMs), own: null, day: [] };
    if (pools.size < mostPools) pools.set(pool, fresh);
    else if (unwatched.size < MOST_POOLS) unwatched.add(pool);
    return fresh;
  }

  return {
    take({ pool, atMs, rows, values, leftOut }) {
      const watched = watchedOf(pool, atMs);
      const learned = Array.from(values.keys()).filter((row) => !leftOut(row));
      const sampled = pick(rows, learned, Math.ceil(MOST_ROWS / windows));
      watched.day = [...watched.day.filter((each) => each.atMs > atMs - DAY_MS), { atMs, rows: sampled }];
      const accounts = learned.length;
      const enough = accounts >= LEAST_ACCOUNTS;
      const whole = watched.day.length >= windows;
      const before = watched.standing;
      // Until a whole day was seen (after a restart, too) what was last measured stands.
      if (enough && !whole && before.reference) return before;
      const day = join(watched.day.map((each) => each.rows));
      const count = day.length / FEATURES.length;
      if (enough && whole && !watched.own && oldest(sampled) >= SETTLE_HOURS)
        watched.own = { takenMs: atMs, accounts, features: binFeatures(day, count, { soft: true }) };
      watched.standing = {
        ...empty(pool, atMs),
        accounts,
        reference: watched.own && { takenMs: watched.own.takenMs, accounts: watched.own.accounts },
        features: enough ? compare(reference, watched.own, day, count) : [],
        conformal: enough ? uniformity(reference, rows, values, learned) : null,
      };
      watched.standing.state = stateOf(watched.standing, enough);
      return watched.standing;
    },
    drifted(pool) {
      const found = pools.get(pool)?.standing;
      if (found?.state !== "stop") return [];
      return found.features
        .flatMap(({ feature, psi }) => (psi !== null && psi >= DRIFT_STOP ? [{ feature, psi }] : []))
        .sort((left, right) => right.psi - left.psi)
        .slice(0, MOST_NAMED);
    },
    standings: () => [...pools.values()].map((each) => each.standing),
    forget(pool) {
      const found = pools.get(pool);
      if (!found?.own) return false;
      pools.set(pool, { standing: empty(pool, found.standing.atMs), own: null, day: [] });
      return true;
    },
    get unwatched() {
      return unwatched.size;
    },
    write() {
      const all = [...pools.values()].map(({ standing: last, own }) => ({ standing: last, own }));
      return new TextEncoder().encode(JSON.stringify({ schema: FEATURE_SCHEMA, pools: all }));
    },
    restore(bytes) {
      const read = kept.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
      if (!read.success || read.data.schema !== FEATURE_SCHEMA) return;
      for (const each of read.data.pools) pools.set(each.standing.pool, { ...each, day: [] });
    },
  };
}

function empty(pool: string, atMs: number): PoolStanding {
  return { pool, atMs, accounts: 0, state: "few", reference: null, features: [], conformal: null };
}

function stateOf({ reference, features }: PoolStanding, enough: boolean): PoolStanding["state"] {
  if (!enough) return "few";
  if (!reference) return "learning";
  const worst = features.reduce((most, { psi }) => Math.max(most, psi ?? 0), 0);
  return worst >= DRIFT_STOP ? "stop" : worst >= DRIFT_WARN ? "warn" : "steady";
}

/** The chosen rows, at most `most` of them, evenly spread. */
function pick(rows: Float32Array, chosen: readonly number[], most: number): Float32Array {
  const width = FEATURES.length;
  const count = Math.min(most, chosen.length);
  const picked = new Float32Array(count * width);
  for (let at = 0; at < count; at += 1) {
    const row = chosen[Math.floor((at * chosen.length) / count)] as number;
    picked.set(rows.subarray(row * width, (row + 1) * width), at * width);
  }
  return picked;
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Hours that the oldest account was seen for. */
function oldest(rows: Float32Array): number {
  let age = 0;
  for (let at = AGE; at < rows.length; at += FEATURES.length) age = Math.max(age, rows[at] as number);
  return 10 ** age - 1;
}

function compare(
  reference: Reference,
  own: Watched["own"],
  rows: Float32Array,
  count: number,
): PoolStanding["features"] {
  const finite = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  const training = drift(reference, rows, count, { present: true });
  const stability = own ? drift(own, rows, count, { soft: true }) : [];
  return FEATURES.map(({ name }, index) => ({
    feature: name,
    psi: FILLING.has(name) ? null : finite(stability[index]?.psi),
    training: finite(training[index]?.psi),
  }));
}

/** Kolmogorov's distance of the rows' conformal p-values from uniform, and the part that is .01 or less. */
function uniformity(
  reference: Reference,
  rows: Float32Array,
  values: Float32Array,
  learned: readonly number[],
): PoolStanding["conformal"] {
  const all = learned
    .map((row) => {
      const value = values[row] as number;
      return conformalP(reference, stratumOf(rows, row), Math.log(value / (1 - value)));
    })
    .sort((left, right) => left - right);
  let distance = 0;
  for (const [index, p] of all.entries())
    distance = Math.max(distance, p - index / all.length, (index + 1) / all.length - p);
  return { distance, low: all.filter((p) => p <= 0.01).length / all.length };
}
