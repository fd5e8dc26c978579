import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoderFactory } from "../../../collectors/stratum/decoder.ts";
import { JobBoard } from "../../../collectors/stratum/job-board.ts";
import { createDecodeCounters, type Direction } from "../../../collectors/stratum/ledger-context.ts";
import {
  type Observation,
  readObservation,
  type Share,
  writeObservation,
} from "../../../src/core/observation.ts";
import { DIALOGUES } from "./dialogues.ts";

/** Decodes chunks that came one after the other, a millisecond apart. */
function decode(chunks: readonly [Direction, Buffer][], onlyRecognised = false) {
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
    { maxLineBytes: 16_384, onlyRecognised },
  )({ session: "tap-1", address: "203.0.113.7" }, { atMs: 0, tickMs: 0 });
  for (const [index, [direction, chunk]] of chunks.entries()) {
    decoder.push(direction, chunk, { atMs: index, tickMs: index });
  }
  decoder.close({ atMs: chunks.length, tickMs: chunks.length }, "end");
  const of = <T extends Observation["type"]>(type: T) =>
    observations.filter(
      (observation): observation is Extract<Observation, { type: T }> => observation.type === type,
    );
  return { observations, refusals, counters, shares: of("share"), jobs: of("job"), sessions: of("session") };
}

const chunksOf = (talk: readonly string[]) =>
  talk.map((line): [Direction, Buffer] => [
    line[0] === ">" ? "up" : "down",
    Buffer.from(`${line.slice(2)}\n`),
  ]);

describe.each(Object.entries(DIALOGUES))("%s", (_, { talk, shares, jobs = [] }) => {
  test("accounts, difficulties and outcomes come out", () => {
    const seen = decode(chunksOf(talk), true);
    expect(seen.shares).toMatchObject(shares);
    expect(seen.jobs).toMatchObject(jobs);
    expect(seen.refusals).toEqual([]);
    expect(seen.sessions.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["open", "authorize", "close"]),
    );
  });

  test("two messages in one packet, and a packet a byte, are the same talk", () => {
    const whole = decode(chunksOf(talk)).shares.length;
    const bytes = chunksOf(talk).flatMap(([direction, line]) =>
      [...line].map((byte) => [direction, Buffer.of(byte)] as [Direction, Buffer]),
    );
    expect(decode(bytes).shares).toHaveLength(whole);
    const doubled = chunksOf(talk).flatMap(([direction, line]): [Direction, Buffer][] => [
      [direction, Buffer.concat([Buffer.from("\n"), line])],
    ]);
    expect(decode(doubled).shares).toHaveLength(whole);
  });

  test("damaged in any way it throws nothing, and all it tells is an observation", () => {
    const damage = fc.record({
      kind: fc.constantFrom(
        "flip" as const,
        "cut" as const,
        "drop" as const,
        "repeat" as const,
        "turn" as const,
        "swap" as const,
      ),
      line: fc.nat({ max: talk.length - 1 }),
      at: fc.nat(),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), (damages) => {
        const chunks = chunksOf(talk);
        for (const { kind, line, at, value } of damages) {
          const target = chunks[line % chunks.length]!;
          const bytes = Buffer.from(target[1]);
          if (kind === "flip") bytes[at % bytes.length] = value;
          if (kind === "flip" || kind === "cut")
            target[1] = kind === "flip" ? bytes : bytes.subarray(0, at % bytes.length);
          if (kind === "drop" && chunks.length > 1) chunks.splice(line % chunks.length, 1);
          if (kind === "repeat") chunks.splice(at % chunks.length, 0, [target[0], bytes]);
          if (kind === "turn") target[0] = target[0] === "up" ? "down" : "up";
          if (kind === "swap") chunks.push(chunks.splice(line % chunks.length, 1)[0]!);
        }
        for (const observation of decode(chunks).observations) {
          expect(readObservation(JSON.parse(writeObservation(observation)), 1e6)).toMatchObject({
            unknownFields: 0,
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  test("answers nobody asked for give nothing, and each question is answered once", () => {
    const chunks = chunksOf(talk);
    const isAnswer = ([direction, line]: [Direction, Buffer]) =>
      direction === "down" && JSON.parse(String(line)).method === undefined;
    const doubled = chunks.flatMap((chunk) => (isAnswer(chunk) ? [chunk, chunk] : [chunk]));
    expect(decode(doubled).shares).toMatchObject(shares);
    expect(decode(doubled).shares).toHaveLength(shares.length);
    // The first message tells the dialect; what is answered before it is no stratum yet.
    const [first, ...rest] = chunks;
    const early = decode([first!, ...rest.filter(isAnswer), ...rest.filter((chunk) => !isAnswer(chunk))]);
    expect(early.shares).toEqual([]);
    expect(early.counters.unasked).toBeGreaterThan(0);
  });

  test("one id for everything: nobody is credited with another's share, and none is counted twice", () => {
    const same = talk.map((line) => {
      const { id, ...message } = JSON.parse(line.slice(2));
      return `${line.slice(0, 2)}${JSON.stringify(id === undefined || id === null ? message : { ...message, id: 1 })}`;
    });
    const accounts = new Set((shares as Share[]).map(({ account }) => account));
    const seen = decode(chunksOf([...same, ...same.filter((line) => line.startsWith("<"))]));
    expect(seen.shares.length).toBeLessThanOrEqual(shares.length);
    for (const { account } of seen.shares) expect(accounts).toContain(account);
  });

  test("deep, huge, empty and broken messages between all others, from both sides, change nothing", () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    const broken = Buffer.concat([Buffer.from('{"id":"'), Buffer.of(0xff, 0xc0, 0x80), Buffer.from('"}\n')]);
    const hostile = [
      Buffer.from(`{"params":${deep}}\n`),
      Buffer.from(`${deep}\n`),
      Buffer.from(`{"params":["${"x".repeat(100_000)}"]}\n`),
      Buffer.from(`${"{".repeat(16_000)}\n`),
      Buffer.from('\n\r\n{}\n[]\n"\ud800"\nnull\n-0\n'),
      broken,
    ];
    const chunks = chunksOf(talk).flatMap((chunk): [Direction, Buffer][] => [
      chunk,
      ...hostile.flatMap((bytes): [Direction, Buffer][] => [
        ["up", bytes],
        ["down", bytes],
      ]),
    ]);
    const seen = decode(chunks);
    expect(seen.shares).toMatchObject(shares);
    expect(seen.shares).toHaveLength(shares.length);
    expect(seen.counters.oversized).toBe(2 * talk.length);
  });

  test("a value of the wrong type anywhere throws nothing", () => {
    const wrong: unknown[] = [null, true, -1, 1e300, "", "x".repeat(5000), [], {}, [[[]]], { length: 3 }];
    for (const [index, line] of talk.entries()) {
      const message = JSON.parse(line.slice(2));
      for (const path of paths(message)) {
        for (const value of wrong) {
          const changed = [...talk];
          changed[index] = `${line.slice(0, 2)}${JSON.stringify(replaced(message, path, value))}`;
          for (const observation of decode(chunksOf(changed)).observations) {
            const read = readObservation(JSON.parse(writeObservation(observation)), 1e6);
            if ("reason" in read) throw new Error(`${read.reason} after ${changed[index].slice(0, 300)}`);
          }
        }
      }
    }
  });
});

/** Every place in a JSON value, as the keys that lead there. */
function paths(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  Object.assign(copy, { [key]: replaced((value as Record<string, unknown>)[key], rest, by) });
  return copy;
}

test.each([
  ["tls", Buffer.from("16030100c8010000c40303", "hex"), { tls: true }],
  ["http", Buffer.from('POST / HTTP/1.1\r\nHost: x\r\n\r\n{"method":"getwork","params":[],"id":0}\n'), {}],
  ["unknown", Buffer.from(`${"9f".repeat(32)}0a${"7b".repeat(8)}0a`, "hex"), {}],
])("%s passes as an opaque session", (kind, hello, also) => {
  const answer = Buffer.from('{"id":1,"result":true,"error":null}\n');
  const { sessions, counters, shares, refusals } = decode([
    ["up", hello],
    ["down", answer],
    ["up", Buffer.from([0x99, 0x0a])],
  ]);
  expect(sessions).toMatchObject([
    { event: "open" },
    { event: "close", reason: `${kind}, not decoded; end`, ...also },
  ]);
  expect(counters.opaque).toBe(1);
  expect([shares, refusals]).toEqual([[], []]);
  expect(
    decode(
      [
        ["up", hello],
        ["down", answer],
      ],
      true,
    ).observations,
  ).toEqual([]);
});

test("connections of one tap do not mix, however their messages alternate", () => {
  const talks = Object.values(DIALOGUES);
  const shares: Observation[] = [];
  const factory = createDecoderFactory(
    {
      pool: "testpool",
      algorithm: "sha256d",
      counters: createDecodeCounters(),
      emit: (observation) => observation.type === "share" && shares.push(observation),
      refuse: (reason) => expect.unreachable(reason),
      announce: () => {},
    },
    { maxLineBytes: 16_384 },
  );
  const decoders = talks.map((_, index) =>
    factory({ session: `${index}`, address: "203.0.113.7" }, { atMs: 0, tickMs: 0 }),
  );
  const lines = talks.map(({ talk }) => chunksOf(talk));
  for (let step = 0; step < Math.max(...lines.map(({ length }) => length)); step += 1) {
    for (const [index, line] of lines.entries()) {
      if (line[step]) decoders[index]!.push(...line[step]!, { atMs: step, tickMs: step });
    }
  }
  for (const [index, talk] of talks.entries()) {
    const own = shares.filter((share) => share.type === "share" && share.session === `${index}`);
    expect(own).toMatchObject(talk.shares);
  }
});

test("huge and deep messages are skipped or read, and the next one counts", () => {
  const { talk, shares } = DIALOGUES.bitcoin!;
  const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
  const hostile = [
    `> {"id":9,"params":${deep}}`,
    `< ${"{".repeat(16_000)}`,
    `> ${"x".repeat(100_000)}`,
    `< ${deep}`,
  ];
  const chunks = chunksOf([...talk.slice(0, 4), ...hostile, ...talk.slice(4)]);
  const seen = decode(chunks);
  expect(seen.shares).toMatchObject(shares);
  expect(seen.counters).toMatchObject({ oversized: 1, malformed: 2 });
});
