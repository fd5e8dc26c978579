import { describe, expect, it } from "vitest";
import type { FlowsCollector } from "../../collectors/flows/flows.ts";
import type { FlowFinding } from "../../collectors/flows/join.ts";
import { createNetworkBook } from "../../src/main/network.ts";
import { network } from "../../src/review/network-routes.ts";

const START = 1_795_600_000_000;
const unseen = (port: number): FlowFinding => ({
  kind: "unseen",
  pool: "main",
  ip: "198.51.100.7",
  port,
  startMs: START,
  endMs: START + 60_000,
  bytes: 4200,
  packets: 42,
});
const session: FlowFinding = {
  kind: "session",
  pool: "main",
  session: "s1",
  account: undefined,
  ip: "198.51.100.7",
  port: 40_000,
  durationMs: 600_000,
  bytes: 5000,
  packets: 60,
  shares: 0,
  bytesPerShare: Number.NaN,
  rttMs: 40,
  appRttMs: undefined,
};

describe("what the network told", () => {
  it("is kept by kind, the latest first, in the shape the API promises", () => {
    const book = createNetworkBook();
    book.found(session);
    book.found(unseen(40_001));
    book.found({
      kind: "elsewhere",
      client: "198.51.100.7",
      server: "203.0.113.5",
      serverPort: 3333,
      startMs: START,
      endMs: START + 3_600_000,
      packets: 600,
      packetBytes: 92.5,
      packetsPerMinute: 10,
      activity: 0.9,
    });
    book.take([
      { type: "route", atMs: START, prefix: "175.45.176.0/24", event: "withdraw", peer: "p", collector: "c" },
    ]);
    const told = network.parse(book.answer());
    expect(told.joined).toMatchObject({
      total: 1,
      entries: [{ account: null, bytesPerShare: null, rttMs: 40, appRttMs: null }],
    });
    expect(told.unseen.entries).toMatchObject([{ port: 40_001, packets: 42 }]);
    expect(told.elsewhere.entries).toMatchObject([{ server: "203.0.113.5", packetBytes: 92.5 }]);
    expect(told.routes.entries).toEqual([
      { atMs: START, prefix: "175.45.176.0/24", event: "withdraw", path: [] },
    ]);
  });

  it("is bounded, and counts what it let go", () => {
    const book = createNetworkBook();
    for (let port = 1; port <= 5000; port += 1) book.found(unseen(port));
    const { total, entries } = book.answer().unseen;
    expect(total).toBe(5000);
    expect(entries.length).toBe(200);
    expect(entries[0]?.port).toBe(5000);
    expect(entries.at(-1)?.port).toBe(4801);
  });

  it("shows each exporter's own counters under its collector's name", () => {
    const book = createNetworkBook();
    const counts = { datagrams: 3, flows: 90, lost: 2, malformed: 1, templates: 0, droppedSets: 0 };
    const report = { exporter: "192.0.2.1", ...counts, clockCorrected: 0, conventions: ["datagrams"] };
    book.show({
      flows: [{ name: "edge", report: () => ({ exporters: [report] }) } as unknown as FlowsCollector],
    });
    expect(network.parse(book.answer()).exporters).toEqual([
      { collector: "edge", exporter: "192.0.2.1", ...counts, clockCorrected: 0 },
    ]);
  });
});
