import type { Share } from "../../src/core/observation.ts";
import type { Origin } from "../../src/core/origin.ts";

/** A seeded source of uniform numbers in [0, 1): mulberry32, enough for tests. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An origin with the fields a test cares about. */
export function originOf(ip: string, fields: Partial<Origin> = {}): Origin {
  return {
    ip,
    country: "DE",
    region: "",
    asn: 3320,
    holder: "Test",
    kind: "residential",
    tier: "none",
    confidence: 0.9,
    facts: [],
    ...fields,
  };
}

/** A share with the fields a test cares about. */
export function shareOf(fields: Partial<Share> & { atMs: number }): Share {
  return {
    type: "share",
    pool: "pool",
    algorithm: "sha256d",
    account: "alice",
    worker: "alice.rig1",
    ip: "192.0.2.1",
    agent: "cgminer/4.11.1",
    difficulty: 1000,
    outcome: "accepted",
    ...fields,
  };
}

/** Shares of one account as a Poisson process; `meanGapMs` may change with time. */
export function* poissonShares(
  random: () => number,
  span: { fromMs: number; toMs: number; meanGapMs: (atMs: number) => number },
  fields: Partial<Share> = {},
): Generator<Share> {
  let atMs = span.fromMs;
  for (;;) {
    atMs += -Math.log(1 - random()) * span.meanGapMs(atMs);
    if (atMs >= span.toMs) return;
    yield shareOf({ ...fields, atMs: Math.floor(atMs) });
  }
}
