import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import type { Session, Share } from "../../src/core/observation.ts";
import { Sessions } from "../../src/core/sessions.ts";
import { originOf } from "../support/shares.ts";

const share = (more: Partial<Share> = {}): Share => ({
  type: "share",
  atMs: 0,
  pool: "p",
  algorithm: "scrypt",
  account: "a",
  worker: "rig",
  difficulty: 1,
  outcome: "accepted",
  ...more,
});
const login = (session: string, ip: string, more: Partial<Session> = {}): Session => ({
  type: "session",
  atMs: 0,
  pool: "p",
  session,
  event: "authorize",
  ip,
  account: "a",
  worker: "rig",
  ...more,
});

test("a share's own session comes first, its worker's connection otherwise", () => {
  const sessions = new Sessions();
  sessions.note(login("s1", "192.0.2.1"));
  sessions.note(login("s2", "192.0.2.2", { worker: "other" }));
  expect(sessions.of(share({ session: "s2" }))?.ip).toBe("192.0.2.2");
  expect(sessions.of(share({ session: "unknown to the tap" }))?.ip).toBe("192.0.2.1");
  expect(sessions.of(share())?.ip).toBe("192.0.2.1");
  expect(sessions.of(share({ worker: "a.rig" }))?.ip).toBe("192.0.2.1");
  expect(sessions.of(share({ pool: "q" }))).toBeUndefined();
  expect(sessions.of(share({ worker: undefined }))).toBeUndefined();
});

test("a worker is where it logged in last, and nowhere once that connection is closed", () => {
  const sessions = new Sessions();
  sessions.note(login("s1", "192.0.2.1"));
  sessions.note(login("s2", "192.0.2.2"));
  sessions.note(login("s1", "192.0.2.1", { event: "close" }));
  expect(sessions.of(share())?.ip).toBe("192.0.2.2");
  sessions.note(login("s2", "192.0.2.2", { event: "close" }));
  expect(sessions.of(share())).toBeUndefined();
});

test("a connection that logs in as another worker leaves the first", () => {
  const sessions = new Sessions();
  sessions.note(login("s1", "192.0.2.1"));
  sessions.note(login("s1", "192.0.2.1", { worker: "second" }));
  expect(sessions.of(share())).toBeUndefined();
  expect(sessions.of(share({ worker: "second" }))?.ip).toBe("192.0.2.1");
});

test("shares of a database without addresses get theirs from the connections a tap saw", () => {
  const lookUpOrigin = (ip: string) => originOf(ip, ip === "192.0.2.1" ? { country: "FR" } : {});
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6 });
  analysis.take([login("tap-7", "192.0.2.1", { agent: "cgminer/4.11.1" }), share({ atMs: 1000 })]);
  const origin = analysis.takeDeltas().find(({ measurement }) => measurement === "origin");
  expect(origin?.tags).toContain("FR");
});
