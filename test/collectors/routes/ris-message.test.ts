import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPrefixes } from "../../../collectors/routes/prefixes.ts";
import { readRisFile } from "../../../collectors/routes/ris-file.ts";
import { readRisMessage } from "../../../collectors/routes/ris-message.ts";
import { type WatchedNetwork, watchedNetworks } from "../../../collectors/routes/watched.ts";
import type { Batch } from "../../../src/core/collector.ts";
import type { Route } from "../../../src/core/observation.ts";
import { readObservation, writeObservation } from "../../../src/core/observation.ts";
import { fromPeers, risUpdate, START_SECONDS } from "./messages.ts";

const { networks } = watchedNetworks();
const PREFIX = "175.45.176.0/24";
const belief = { minimumPeers: 3, minimumWithdrawals: 5 };
/**
 * The network of the fixture, which is written after frames captured from the full stream in September 2026: next hops in
 * pairs, raw bytes, withdrawn IPv6 prefixes with every zero, the state under either name, and a host without its domain.
 */
const LAB: WatchedNetwork = {
  name: "lab",
  asn: 64_500,
  prefixes: ["198.51.100.0/24", "2001:db8:40::/44"],
  upstreams: [{ asn: 64_497, name: "upstream" }],
  sources: ["made for this test"],
};

describe("readRisMessage", () => {
  it("takes a set in a path by its first member", () => {
    const reading = readRisMessage(risUpdate({ announce: [PREFIX], path: [50_628, [4837, 9929], 131_279] }));
    expect(reading).toMatchObject({ kind: "update", update: { path: [50_628, 4837, 131_279] } });
  });

  it.each([
    { text: '{"type":"ris_error","data":{"message":"too slow"}}', kind: "error" },
    { text: '{"type":"ris_subscribe_ok","data":{}}', kind: "other" },
    { text: '{"type":"ris_message","data":{"type":"RIS_PEER_STATE","state":"down"}}', kind: "other" },
    { text: "{", kind: "bad" },
    { text: "[]", kind: "bad" },
    { text: '{"type":"ris_message","data":{"type":"UPDATE","timestamp":-1}}', kind: "bad" },
    { text: '{"type":"ris_message","data":null}', kind: "bad" },
    { text: '{"type":"ris_weather","data":{}}', kind: "bad" },
    { text: '{"type":"ris_message","data":{"type":"ROUTE-REFRESH"}}', kind: "bad" },
    { text: risUpdate({ announce: ["175.45.176.0"] }), kind: "bad" },
    { text: risUpdate({ withdraw: ["<b>/24"] }), kind: "bad" },
  ])("reads $text as $kind", ({ text, kind }) => {
    expect(readRisMessage(text).kind).toBe(kind);
  });

  it("property: any JSON is read or refused, and what is told our own door would take", () => {
    const field = fc.oneof(fc.jsonValue(), fc.constant(PREFIX), fc.nat(), fc.array(fc.constant(PREFIX)));
    const data = fc.dictionary(
      fc.constantFrom(
        "timestamp",
        "peer",
        "peer_asn",
        "host",
        "type",
        "path",
        "announcements",
        "withdrawals",
      ),
      fc.oneof(field, fc.constant("UPDATE"), fc.constant([{ prefixes: [PREFIX] }])),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ type: fc.constant("ris_message"), data })), (messages) => {
        const prefixes = createPrefixes(networks, { minimumPeers: 1, minimumWithdrawals: 1 });
        for (const message of messages) {
          const reading = readRisMessage(JSON.stringify(message));
          if (reading.kind !== "update") continue;
          for (const route of prefixes.take(reading.update)) {
            expect(
              readObservation(JSON.parse(writeObservation(route)), Number.POSITIVE_INFINITY),
            ).toHaveProperty("observation");
          }
        }
      }),
    );
  });
});

describe("a recorded session", () => {
  it("replays line by line, bad lines told by their number", async () => {
    const folder = await mkdtemp(join(tmpdir(), "assay-ris-"));
    const file = join(folder, "ris.ndjson");
    const lines = [
      ...fromPeers(8, { announce: [PREFIX] }),
      "not JSON",
      ...fromPeers(8, { withdraw: [PREFIX], atSeconds: START_SECONDS + 60 }),
    ];
    await writeFile(file, lines.join("\n"));
    const batches: Batch[] = [];
    for await (const batch of readRisFile(file, createPrefixes(networks, belief))) batches.push(batch);
    expect(
      batches.flatMap(({ observations }) => observations.map((route) => (route as Route).event)),
    ).toEqual(["announce", "withdraw"]);
    expect(batches.flatMap(({ refusals }) => refusals ?? [])).toEqual([
      { reason: "not JSON", place: `${file}:9` },
    ]);
    await rm(folder, { recursive: true });
  });

  it("is read in every form the service has been seen to send, and each unknown one is told by its line", async () => {
    const file = join(import.meta.dirname, "../../fixtures/routes/ris-live.ndjson");
    const batches: Batch[] = [];
    for await (const batch of readRisFile(
      file,
      createPrefixes([LAB], { minimumPeers: 2, minimumWithdrawals: 2 }),
    ))
      batches.push(batch);
    const routes = batches.flatMap(({ observations }) => observations as Route[]);
    expect(routes.map(({ event, prefix, path, originAs }) => ({ event, prefix, path, originAs }))).toEqual([
      {
        event: "announce",
        prefix: "2001:db8:40::/48",
        path: [64_501, 64_497, 64_500],
        originAs: 64_500,
      },
      {
        event: "announce",
        prefix: "198.51.100.0/24",
        path: [64_502, 64_497, 64_500],
        originAs: 64_500,
      },
      { event: "withdraw", prefix: "2001:db8:40::/48" },
    ]);
    expect(batches.flatMap(({ refusals }) => refusals ?? [])).toEqual([
      { reason: "the service reported an error: unsupported filter", place: `${file}:13` },
      { reason: "message of an unknown type", place: `${file}:14` },
      { reason: "BGP message of an unknown type", place: `${file}:15` },
      { reason: "announcements.0.prefixes.0: not a prefix", place: `${file}:16` },
    ]);
  });
});
