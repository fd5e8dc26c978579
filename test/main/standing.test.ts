import { expect, test } from "vitest";
import { HOUR_MS } from "../../src/core/metrics.ts";
import { createStanding } from "../../src/main/standing.ts";

test("a list is as old as its last fetch, however old its content; one never reached is as old as the service", async () => {
  const noted: object[] = [];
  const lists = [
    { name: "ofac", checkedAt: "2026-01-05T00:00:00Z", entries: 700 },
    { name: "own", checkedAt: "", entries: 0 },
  ];
  let nowMs = Date.parse("2026-01-05T06:00:00Z");
  const note = createStanding({
    counters: { list: (list) => void noted.push(list), spool: () => {} },
    lists: async () => lists,
    spools: [],
    now: () => nowMs,
  });
  nowMs += 2 * HOUR_MS;
  await note();
  expect(noted).toEqual([
    { name: "ofac", ageHours: 8, entries: 700 },
    { name: "own", ageHours: 2, entries: 0 },
  ]);
});

test("what a spool dropped is told once, what waits in it each time", async () => {
  const noted: object[] = [];
  const state = { bytes: 10, dropped: 0 };
  const note = createStanding({
    counters: { list: () => {}, spool: (spool) => void noted.push(spool) },
    lists: async () => [],
    spools: [{ name: "influx", state: () => state }],
    now: Date.now,
  });
  await note();
  state.dropped = 5;
  await note();
  state.dropped = 7;
  await note();
  expect(noted).toEqual([0, 5, 2].map((dropped) => ({ name: "influx", bytes: 10, dropped })));
});
