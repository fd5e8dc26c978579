import { expect, test } from "vitest";
import {
  describeScreening,
  describeState,
  describeUpdate,
  screenAny,
  subjectsOf,
} from "../../src/screening/ask.ts";

test.each([
  ["175.45.176.1", ["network"]],
  [" 2001:db8::1 ", ["network"]],
  ["AS131279", ["network"]],
  ["as 131279", ["network"]],
  ["UA-43", ["region"]],
  ["KP", ["region"]],
  ["149w62rY42aZBox8fGcmqNsXUzSStKeq8C", ["address", "name"]],
  ["BitRiver AG", ["name", "address"]],
] as const)("%j may be %j", (value, subjects) => expect(subjectsOf(value)).toEqual(subjects));

test("answers are told in words, hits and misses with the versions they were held against", () => {
  const list = { name: "OFAC", version: "2024-09-27 abc" };
  const match = { list, entry: "1A", note: "XBT; SOMEBODY", source: "https://example.org/sdn.xml" };
  const screen = (subject: "address" | "name" | "network" | "region", value: string, atMs: number) => ({
    subject,
    value,
    atMs,
    lists: [list],
    matches: subject === "address" ? [match] : [],
  });
  const [hit, miss] = screenAny(screen, "1A", 0).map(describeScreening);
  expect(hit).toEqual([
    "1A as address: 1 match",
    "  1A (XBT; SOMEBODY) in OFAC 2024-09-27 abc, https://example.org/sdn.xml",
    "  held against OFAC 2024-09-27 abc",
  ]);
  expect(miss?.[0]).toBe("1A as name: no match");
});

test("updates and states are told in a line", () => {
  const update = {
    name: "OFAC",
    outcome: "updated" as const,
    reason: "",
    version: "v2",
    added: 3,
    removed: 1,
  };
  expect(describeUpdate(update)).toBe("OFAC: updated to v2, 3 added, 1 removed");
  expect(describeUpdate({ ...update, outcome: "refused", reason: "it shrank" })).toBe(
    "OFAC: refused; it shrank; still in use: v2",
  );
  expect(describeUpdate({ ...update, outcome: "unreachable", reason: "503", version: "" })).toContain(
    "no version in use",
  );
  const state = {
    name: "OFAC",
    version: "",
    publishedAt: "",
    takenAt: "",
    checkedAt: "",
    source: "",
    entries: 0,
    unit: "entries",
  };
  expect(describeState({ ...state, stale: true, lastError: "503" })).toBe(
    "OFAC: never fetched, STALE; last attempt: 503",
  );
});
