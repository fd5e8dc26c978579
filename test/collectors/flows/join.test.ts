import { describe, expect, it } from "vitest";
import { createFlowJoin } from "../../../collectors/flows/join.ts";
import type { Flow, Session, Share } from "../../../src/core/observation.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const server = { pool: "main", address: "192.0.2.9", port: 3333 };

const session = (event: Session["event"], atMs: number, part: Partial<Session> = {}): Session => ({
  type: "session",
  atMs,
  pool: "main",
  session: "s1",
  event,
  ip: "198.51.100.7",
  port: 40_000,
  account: "farm",
  ...part,
});
const share = (atMs: number, outcome: Share["outcome"] = "accepted"): Share => ({
  type: "share",
  atMs,
  pool: "main",
  algorithm: "sha256d",
  account: "farm",
  session: "s1",
  difficulty: 1,
  outcome,
});
const flow = (startMs: number, endMs: number, part: Partial<Flow> = {}): Flow => ({
  type: "flow",
  atMs: endMs,
  exporter: "edge",
  src: "198.51.100.7",
  dst: "192.0.2.9",
  srcPort: 40_000,
  dstPort: 3333,
  protocol: 6,
  bytes: 6000,
  packets: 60,
  startMs,
  endMs,
  ...part,
});
const back = (startMs: number, endMs: number, part: Partial<Flow> = {}): Flow =>
  flow(startMs, endMs, { src: "192.0.2.9", dst: "198.51.100.7", srcPort: 3333, dstPort: 40_000, ...part });
const later = (ms: number) =>
  flow(ms, ms, { src: "203.0.113.5", srcPort: 443, dst: "203.0.113.6", dstPort: 443 });

describe("flows of a session", () => {
  it("count the session once, whichever of them comes first", () => {
    const join = createFlowJoin([server]);
    join.take([session("open", START), flow(START, START + MINUTE), back(START, START + MINUTE)]);
    expect(join.joined()).toBe(1);
    const other = { session: "s2", port: 40_001 };
    join.take([flow(START, START + MINUTE, { srcPort: 40_001 })]);
    expect(join.joined()).toBe(1);
    join.take([session("open", START + MINUTE, other), session("close", START + MINUTE, other)]);
    expect(join.joined()).toBe(2);
    join.take([session("open", START + MINUTE, { session: "s3", port: 40_002 })]);
    expect(join.joined()).toBe(2);
  });

  it("give bytes per share, duration and traffic of both directions", () => {
    const join = createFlowJoin([server]);
    join.take([
      session("open", START),
      session("authorize", START + 500),
      share(START + MINUTE),
      share(START + 2 * MINUTE),
      share(START + 2 * MINUTE, "stale"),
      session("close", START + 10 * MINUTE),
      flow(START - 100, START + 10 * MINUTE),
      back(START - 50, START + 10 * MINUTE, { bytes: 14_000 }),
      later(START + 60 * MINUTE),
    ]);
    expect(join.takeFindings()).toEqual([
      {
        kind: "session",
        pool: "main",
        session: "s1",
        account: "farm",
        ip: "198.51.100.7",
        port: 40_000,
        durationMs: 10 * MINUTE + 100,
        bytes: 20_000,
        packets: 120,
        shares: 2,
        bytesPerShare: 10_000,
        rttMs: undefined,
        appRttMs: undefined,
      },
    ]);
    expect(join.takeFindings()).toEqual([]);
  });

  it("tell the exporter's round trip in the session's and the account's name, and only when it is a lower one", () => {
    const join = createFlowJoin([server]);
    const told = [90, 120, 80].map((rttMs, index) =>
      join.take([session("authorize", START), flow(START, START + (index + 1) * MINUTE, { rttMs })]),
    );
    expect(told.map((sessions) => sessions.map(({ rttMs }) => rttMs))).toEqual([[90], [], [80]]);
    expect(told[0]?.[0]).toMatchObject({ type: "session", pool: "main", session: "s1", account: "farm" });
  });

  it("end with the least round trip of the network and of the program, whose difference is the hidden leg", () => {
    const join = createFlowJoin([server]);
    join.take([
      { ...session("open", START), appRttMs: 260 },
      flow(START, START + MINUTE, { rttMs: 40 }),
      { ...session("authorize", START + 1000), appRttMs: 240 },
      session("close", START + MINUTE),
      later(START + 60 * MINUTE),
    ]);
    expect(join.takeFindings()).toMatchObject([{ rttMs: 40, appRttMs: 240 }]);
  });

  it("are counted once where two exporters stand on the same path", () => {
    const join = createFlowJoin([server]);
    join.take([
      session("open", START),
      flow(START, START + MINUTE),
      flow(START, START + MINUTE, { exporter: "core" }),
      session("close", START + MINUTE),
      later(START + 60 * MINUTE),
    ]);
    expect(join.takeFindings()).toMatchObject([{ packets: 60 }]);
  });

  it("belong to the later session where a client's port is used again", () => {
    const join = createFlowJoin([server]);
    join.take([
      session("open", START),
      session("close", START + MINUTE),
      flow(START, START + MINUTE),
      session("open", START + 30 * MINUTE, { session: "s2" }),
      flow(START + 30 * MINUTE, START + 31 * MINUTE, { packets: 5 }),
      session("close", START + 31 * MINUTE, { session: "s2" }),
      later(START + 90 * MINUTE),
    ]);
    expect(join.takeFindings()).toMatchObject([
      { session: "s1", packets: 60 },
      { session: "s2", packets: 5 },
    ]);
  });

  it("join by time: a flow that ended long before the session is somebody else's", () => {
    const join = createFlowJoin([server]);
    join.take([session("open", START + 60 * MINUTE), flow(START, START + MINUTE)]);
    join.take([session("close", START + 61 * MINUTE), later(START + 120 * MINUTE)]);
    expect(join.takeFindings()).toEqual([]);
  });
});

describe("sessions that were not seen", () => {
  it("are found by their flows to the pool's port, once they are over", () => {
    const join = createFlowJoin([{ pool: "main", port: 3333 }]);
    join.take([flow(START, START + MINUTE), back(START, START + 2 * MINUTE)]);
    expect(join.takeFindings()).toEqual([]);
    join.take([later(START + 60 * MINUTE)]);
    expect(join.takeFindings()).toEqual([
      {
        kind: "unseen",
        pool: "main",
        ip: "198.51.100.7",
        port: 40_000,
        startMs: START,
        endMs: START + 2 * MINUTE,
        bytes: 12_000,
        packets: 120,
      },
    ]);
  });

  it("are seen after all where the flow came before the session was told", () => {
    const join = createFlowJoin([server]);
    join.take([
      flow(START, START + MINUTE),
      session("authorize", START + 200),
      session("close", START + MINUTE),
    ]);
    join.take([later(START + 60 * MINUTE)]);
    expect(join.takeFindings()).toMatchObject([{ kind: "session", session: "s1", packets: 60 }]);
  });
});

describe("mining to other pools", () => {
  const other = { dst: "203.0.113.77", dstPort: 5555 };
  const run = (part: (index: number) => Partial<Flow>, count = 6) => {
    const join = createFlowJoin([server]);
    for (let index = 0; index < count; index += 1) {
      const from = START + index * 5 * MINUTE;
      join.take([flow(from, from + 5 * MINUTE, { ...other, bytes: 9000, packets: 100, ...part(index) })]);
    }
    return join.takeFindings();
  };

  it("is told by small packets, few a minute, for a long time", () => {
    expect(run(() => ({}))).toMatchObject([
      {
        kind: "elsewhere",
        client: "198.51.100.7",
        server: "203.0.113.77",
        serverPort: 5555,
        packetBytes: 90,
      },
    ]);
  });

  it.each([
    { name: "large packets, as of a download", part: () => ({ bytes: 120_000 }) },
    { name: "many packets, as of a call", part: () => ({ packets: 10_000, bytes: 900_000 }) },
    { name: "hardly any packets", part: () => ({ packets: 2, bytes: 180 }) },
    { name: "a connection opened for each request", part: () => ({ tcpFlags: 0x1b }) },
    { name: "UDP", part: () => ({ protocol: 17 }) },
    {
      name: "bursts with silence between",
      part: (index: number) => ({ endMs: START + index * 5 * MINUTE + 20_000 }),
    },
  ])("is not told by $name", ({ part }) => {
    expect(run(part, 8)).toEqual([]);
  });

  it("is told once an hour, however long it lasts", () => {
    expect(run(() => ({}), 30).length).toBe(3);
  });
});
