import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoderFactory } from "../../../collectors/stratum/decoder.ts";
import { JobBoard } from "../../../collectors/stratum/job-board.ts";
import { createDecodeCounters } from "../../../collectors/stratum/ledger-context.ts";
import { type Observation, readObservation, writeObservation } from "../../../src/core/observation.ts";

const HEAD = `01000000${"01"}${"00".repeat(32)}ffffffff${"18"}${"03a0bb0d"}`;
const TAIL = `${Buffer.from("/ckpool/").toString("hex")}ffffffff01${"00f2052a01000000"}0151${"00000000"}`;
const PREV = `${"a1b2c3d4".repeat(6)}${"0".repeat(16)}`;

/** A decoder fed with messages at instants of one clock, in milliseconds. */
function open(maxLineBytes = 65_536) {
  const observations: Observation[] = [];
  const refusals: string[] = [];
  const counters = createDecodeCounters();
  const board = new JobBoard((job) => observations.push(job));
  const decoder = createDecoderFactory(
    {
      pool: "testpool",
      algorithm: "sha256d",
      counters,
      emit: (observation) => observations.push(observation),
      refuse: (reason) => refusals.push(reason),
      announce: board.announce.bind(board),
    },
    { maxLineBytes },
  )({ session: "tap-1", address: "203.0.113.7", port: 4711 }, { atMs: 0, tickMs: 0 });
  const send = (direction: "up" | "down") => (atMs: number, message: unknown) =>
    decoder.push(direction, Buffer.from(`${JSON.stringify(message)}\n`), { atMs, tickMs: atMs });
  const up = send("up");
  const down = send("down");
  return {
    decoder,
    up,
    down,
    observations,
    refusals,
    counters,
    shares: () => observations.filter((observation) => observation.type === "share"),
    sessions: () => observations.filter((observation) => observation.type === "session"),
    jobs: () => observations.filter((observation) => observation.type === "job"),
    logIn(name = "farm.rig1") {
      up(1000, { id: 1, method: "mining.subscribe", params: ["cgminer/4.12"] });
      down(1010, { id: 1, result: [[["mining.notify", "x"]], "f000000f", 8], error: null });
      up(1090, { id: 2, method: "mining.authorize", params: [name, "x"] });
      down(1100, { id: 2, result: true, error: null });
    },
    difficulty: (atMs: number, value: unknown) =>
      down(atMs, { id: null, method: "mining.set_difficulty", params: [value] }),
    notify: (atMs: number, jobId: string, clean = false) =>
      down(atMs, {
        id: null,
        method: "mining.notify",
        params: [jobId, PREV, HEAD, TAIL, [], "20000000", "170", "65", clean],
      }),
    submit: (atMs: number, id: unknown, jobId: string, name = "farm.rig1") =>
      up(atMs, { id, method: "mining.submit", params: [name, jobId, "00", "65", "00000001"] }),
    accept: (atMs: number, id: unknown) => down(atMs, { id, result: true, error: null }),
  };
}

test("a session, from its opening to its close", () => {
  const wire = open();
  wire.logIn();
  wire.decoder.kernelRoundTrip({ atMs: 5000, tickMs: 5000 }, 41.5);
  wire.decoder.close({ atMs: 9000, tickMs: 9000 }, "miner ended");
  const common = { type: "session", pool: "testpool", session: "tap-1", ip: "203.0.113.7", port: 4711 };
  const agent = "cgminer/4.12";
  const login = { account: "farm", worker: "rig1" };
  expect(wire.sessions()).toEqual([
    { ...common, atMs: 0, event: "open" },
    { ...common, atMs: 1010, event: "subscribe", agent },
    { ...common, atMs: 1100, event: "authorize", agent, ...login, appRttMs: 80 },
    // Told again because the kernel's round trip is new.
    { ...common, atMs: 5000, event: "authorize", agent, ...login, appRttMs: 80, rttMs: 41.5 },
    {
      ...common,
      atMs: 9000,
      event: "close",
      agent,
      ...login,
      appRttMs: 80,
      rttMs: 41.5,
      reason: "miner ended",
    },
  ]);
});

test("a share counts at the difficulty its job was handed out with", () => {
  const wire = open();
  wire.logIn();
  wire.difficulty(1200, 1024);
  wire.notify(1201, "a", true);
  wire.submit(2000, 3, "a");
  wire.difficulty(2001, 8192);
  wire.submit(2002, 4, "a");
  wire.accept(2010, 3);
  wire.accept(2011, 4);
  wire.notify(3000, "b");
  wire.submit(4000, 5, "b");
  wire.accept(4010, 5);
  const common = { type: "share", pool: "testpool", algorithm: "sha256d", account: "farm", worker: "rig1" };
  const rest = { session: "tap-1", ip: "203.0.113.7", agent: "cgminer/4.12", outcome: "accepted" };
  expect(wire.shares()).toEqual([
    { ...common, ...rest, atMs: 2000, difficulty: 1024 },
    { ...common, ...rest, atMs: 2002, difficulty: 1024, credited: 8192 },
    { ...common, ...rest, atMs: 4000, difficulty: 8192 },
  ]);
});

test("a job is told once, with what its coinbase says", () => {
  const wire = open();
  wire.logIn();
  wire.notify(1201, "a", true);
  wire.notify(1202, "a", true);
  expect(wire.jobs()).toEqual([
    {
      type: "job",
      atMs: 1201,
      pool: "testpool",
      jobId: "a",
      prevHash: `${"0".repeat(16)}${"a1b2c3d4".repeat(6)}`,
      height: 900_000,
      coinbaseTag: "/ckpool/",
      clean: true,
    },
  ]);
});

test.each([
  [[21, "Job not found", null], "stale"],
  [[22, "Duplicate share", null], "duplicate"],
  [[23, "Low difficulty share", null], "low-difficulty"],
  [[24, "Unauthorized worker", null], "invalid"],
  [[20, "Duplicate", null], "duplicate"],
  [{ code: 23, message: "x" }, "low-difficulty"],
  [{ code: -1, message: "Block expired" }, "stale"],
  ["Invalid JobID", "stale"],
  ["Above target", "low-difficulty"],
  ["no idea", "invalid"],
])("the error %j means %s", (error, outcome) => {
  const wire = open();
  wire.difficulty(1, 4);
  wire.notify(2, "a");
  wire.submit(3, 7, "a");
  wire.down(4, { id: 7, result: null, error });
  expect(wire.shares()).toMatchObject([{ outcome, difficulty: 4 }]);
});

test("a refusal beside the result, as ckpool says it", () => {
  const wire = open();
  wire.difficulty(1, 4);
  wire.notify(2, "a");
  wire.submit(3, 7, "a");
  wire.down(4, { id: 7, result: false, error: null, "reject-reason": "Duplicate" });
  expect(wire.shares()).toMatchObject([{ outcome: "duplicate" }]);
});

test("ids used again are answered in their order", () => {
  const wire = open();
  wire.difficulty(1, 4);
  wire.notify(2, "a");
  wire.submit(10, "mining.submit", "a", "one.x");
  wire.submit(11, "mining.submit", "a", "two.x");
  wire.accept(20, "mining.submit");
  wire.down(21, { id: "mining.submit", result: null, error: [22, "Duplicate", null] });
  wire.accept(22, "mining.submit");
  expect(wire.shares()).toMatchObject([
    { account: "one", outcome: "accepted" },
    { account: "two", outcome: "duplicate" },
  ]);
  expect(wire.counters.unasked).toBe(1);
});

test("the least time from a clean job to its first accepted share is a round trip", () => {
  const wire = open();
  wire.logIn();
  wire.difficulty(1100, 1);
  for (const [index, delayMs] of [70, 30, 45].entries()) {
    const atMs = 10_000 * (index + 1);
    wire.notify(atMs, `${index}`, true);
    wire.submit(atMs + delayMs, index + 10, `${index}`);
    wire.submit(atMs + delayMs + 1, index + 20, `${index}`);
    wire.accept(atMs + delayMs + 5, index + 10);
    wire.accept(atMs + delayMs + 5, index + 20);
  }
  wire.decoder.close({ atMs: 50_000, tickMs: 50_000 }, "end");
  // 80 from the login; 70 is not worth telling, 30 is.
  expect(wire.sessions().map(({ appRttMs }) => appRttMs)).toEqual([undefined, undefined, 80, 30, 30]);
});

test("the answer to a pool's own question is a round trip, and names an agent nobody named", () => {
  const wire = open();
  wire.up(1, { id: 1, method: "mining.authorize", params: ["farm.rig1", "x"] });
  wire.down(2, { id: 1, result: true, error: null });
  wire.down(1000, { id: 9, method: "client.get_version", params: [] });
  wire.up(1020, { id: 8, result: "nobody asked for this" });
  wire.up(1042, { id: 9, result: "cgminer/4.9", error: null });
  expect(wire.sessions().at(-1)).toMatchObject({ event: "authorize", account: "farm", appRttMs: 42 });
  wire.decoder.close({ atMs: 2000, tickMs: 2000 }, "end");
  expect(wire.sessions().at(-1)).toMatchObject({ event: "close", agent: "cgminer/4.9" });
});

describe("what a hostile peer says never becomes a figure", () => {
  test.each([0, -1, 1e300, "NaN", "", null, {}, [], true, "1e400"])("difficulty %j", (value) => {
    const wire = open();
    wire.difficulty(1, 64);
    wire.difficulty(2, value);
    wire.notify(3, "a");
    wire.submit(4, 1, "a");
    wire.accept(5, 1);
    expect(wire.shares()).toEqual([]);
    expect(wire.counters.badDifficulties).toBe(1);
    expect(wire.refusals).toEqual(["difficulty that cannot be one", "share with no known difficulty"]);
  });

  test.each([
    ["x".repeat(10_000), "worker name longer than 256 characters"],
    ["farm\nforged", "worker name with control characters or broken UTF-8"],
    ["", "no worker name"],
    [".rig", "worker name without an account"],
    [17, "no worker name"],
  ])("worker name %j", (name, reason) => {
    const wire = open();
    wire.difficulty(1, 64);
    wire.notify(3, "a");
    wire.submit(4, 1, "a", name as string);
    wire.accept(5, 1);
    expect(wire.shares()).toEqual([]);
    expect(wire.refusals).toEqual([reason]);
  });

  test("an oversized message is skipped and counted", () => {
    const wire = open(512);
    wire.difficulty(1, 64);
    wire.up(2, { id: 1, method: "x", params: ["y".repeat(600)] });
    wire.notify(3, "a");
    expect(wire.counters.oversized).toBe(1);
    expect(wire.refusals).toContain("message longer than the limit");
  });

  test("after missing bytes no share is counted at a guess", () => {
    const wire = open();
    wire.difficulty(1, 64);
    wire.decoder.gap("down");
    wire.down(2, { skipped: true });
    wire.notify(3, "a");
    wire.submit(4, 1, "a");
    wire.accept(5, 1);
    expect(wire.refusals).toEqual(["share with no known difficulty"]);
  });

  test("requests without answers and jobs without end stay bounded", () => {
    const wire = open();
    wire.difficulty(1, 64);
    for (let index = 0; index < 5000; index += 1) {
      wire.notify(2, `job${index}`);
      wire.submit(3, index, `job${index}`);
    }
    expect(wire.counters.unanswered).toBe(5000 - 256);
    expect(wire.jobs()).toHaveLength(64);
    wire.submit(4, "late", "job1");
    wire.accept(5, "late");
    expect(wire.counters.unknownJobs).toBe(1);
  });

  test("any message, any bytes, from either side: nothing throws, and all that is told is an observation", () => {
    const method = fc.constantFrom(
      "mining.subscribe",
      "mining.authorize",
      "mining.submit",
      "mining.notify",
      "mining.set_difficulty",
      "mining.set_extranonce",
      "mining.configure",
    );
    const value = fc.oneof(
      fc.constantFrom<unknown>(1, "1", "a", true, null, "farm.rig", PREV, HEAD, TAIL),
      fc.jsonValue(),
    );
    const message = fc.record(
      {
        id: fc.oneof(fc.constantFrom(1, "1", null), fc.jsonValue()),
        method,
        params: fc.oneof(fc.array(value), value),
        result: value,
        error: value,
      },
      { requiredKeys: [] },
    );
    const step = fc.record({
      direction: fc.constantFrom("up" as const, "down" as const),
      bytes: fc.oneof(
        message.map((content) => Buffer.from(`${JSON.stringify(content)}\n`)),
        fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wire = open(1024);
        steps.forEach(({ direction, bytes }, index) => {
          wire.decoder.push(direction, bytes, { atMs: index, tickMs: index });
        });
        wire.decoder.close({ atMs: 100, tickMs: 100 }, "end");
        for (const observation of wire.observations) {
          expect(readObservation(JSON.parse(writeObservation(observation)), 1000)).toMatchObject({
            unknownFields: 0,
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});
