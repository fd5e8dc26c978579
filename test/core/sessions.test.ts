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

test("a proxy's connection logs in many workers, and all of them are on it until it closes or they move", () => {
  const sessions = new Sessions();
  const of = (worker: string) => sessions.of(share({ worker }))?.ip;
  for (const worker of ["first", "second", "third"]) sessions.note(login("s1", "192.0.2.1", { worker }));
  sessions.note(login("s2", "192.0.2.2", { worker: "second" }));
  expect(["first", "second", "third"].map(of)).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.1"]);
  sessions.note(login("s1", "192.0.2.1", { event: "close" }));
  expect(["first", "second", "third"].map(of)).toEqual([undefined, "192.0.2.2", undefined]);
});

test("of a connection that logs in workers without end, about a thousand and the last are kept", () => {
  const sessions = new Sessions();
  for (let index = 0; index < 5000; index += 1)
    sessions.note(login("s1", "192.0.2.1", { worker: `w${index}` }));
  const on = Array.from({ length: 5000 }, (_, index) => sessions.of(share({ worker: `w${index}` })));
  expect(on.filter((one) => one !== undefined)).toHaveLength(1025);
  expect(on.at(-1)?.ip).toBe("192.0.2.1");
  sessions.note(login("s1", "192.0.2.1", { event: "close" }));
  expect(sessions.of(share({ worker: "w0" }))).toBeUndefined();
  expect(sessions.of(share({ worker: "w4999" }))).toBeUndefined();
});

test("shares of a database without addresses get theirs from the connections a tap saw", () => {
  const lookUpOrigin = (ip: string) => originOf(ip, ip === "192.0.2.1" ? { country: "FR" } : {});
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6 });
  analysis.take([login("tap-7", "192.0.2.1", { agent: "cgminer/4.11.1" }), share({ atMs: 1000 })]);
  const origin = analysis.takeDeltas().find(({ measurement }) => measurement === "origin");
  expect(origin?.tags).toContain("FR");
});
