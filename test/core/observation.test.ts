import fc from "fast-check";
import { expect, test } from "vitest";
import {
  MAX_AHEAD_MS,
  type Observation,
  readObservation,
  writeObservation,
} from "../../src/core/observation.ts";

const NOW = Date.UTC(2026, 10, 22);
const good = {
  type: "share",
  at: "2026-11-21T10:00:00.123Z",
  pool: "p",
  algorithm: "sha256d",
  account: "alice",
  difficulty: 1.5,
  outcome: "accepted",
};

test("a share is read, with its instant in milliseconds", () => {
  const { at, ...rest } = good;
  expect(readObservation(good, NOW)).toEqual({
    observation: { ...rest, atMs: Date.parse(at) },
    unknownFields: 0,
  });
});

test("unknown fields are kept out and counted", () => {
  const reading = readObservation({ ...good, password: "x", extra: 1 }, NOW);
  expect(reading).toMatchObject({ unknownFields: 2 });
  expect(JSON.stringify(reading)).not.toContain("password");
});

test.each([
  ["difficulty", { difficulty: 0 }],
  ["difficulty", { difficulty: -1 }],
  ["difficulty", { difficulty: Number.NaN }],
  ["difficulty", { difficulty: 1e300 }],
  ["account", { account: "a".repeat(10_000) }],
  ["account", { account: "two\nlines" }],
  ["account", { account: "" }],
  ["at", { at: new Date(NOW + MAX_AHEAD_MS + 1000).toISOString() }],
  ["at", { at: "1969-12-31T23:59:59Z" }],
  ["at", { at: "yesterday" }],
  ["outcome", { outcome: "maybe" }],
  ["", { type: "gossip" }],
])("a wrong %s is refused with its place", (field, change) => {
  const reading = readObservation({ ...good, ...change }, NOW);
  expect(reading).toHaveProperty("reason");
  expect((reading as { reason: string }).reason).toContain(field);
});

test("whatever comes, reading never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.record({
          ...Object.fromEntries(
            Object.entries(good).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.anything())]),
          ),
        }),
      ),
      (value) => {
        const reading = readObservation(value, NOW);
        expect("reason" in reading || "observation" in reading).toBe(true);
      },
    ),
  );
});

test("what is written is read back as it was", () => {
  const observations: Observation[] = [
    {
      type: "share",
      atMs: NOW - 1,
      pool: "p",
      algorithm: "randomx",
      account: 'ü "quoted\\',
      difficulty: 1e-9,
      outcome: "low-difficulty",
    },
    {
      type: "session",
      atMs: NOW,
      pool: "p",
      session: "s",
      event: "authorize",
      ip: "::1",
      rttMs: 0.25,
      tls: true,
    },
    {
      type: "flow",
      atMs: NOW,
      exporter: "e",
      src: "::1",
      dst: "::2",
      srcPort: 1,
      dstPort: 2,
      protocol: 6,
      bytes: 3,
      packets: 4,
      startMs: NOW - 5,
      endMs: NOW,
    },
    { type: "route", atMs: NOW, prefix: "175.45.176.0/24", event: "withdraw", peer: "x", collector: "rrc21" },
    { type: "payout", atMs: NOW, pool: "p", coin: "XMR", account: "a", address: "4…", amount: 0.5 },
    { type: "price", atMs: NOW, coin: "XMR", currency: "USD", price: 170.25 },
    {
      type: "job",
      atMs: NOW,
      pool: "p",
      jobId: "j",
      prevHash: "00",
      clean: true,
      outputs: [{ address: "a", value: 1 }],
    },
  ];
  for (const observation of observations) {
    expect(readObservation(JSON.parse(writeObservation(observation)), NOW)).toEqual({
      observation,
      unknownFields: 0,
    });
  }
});
