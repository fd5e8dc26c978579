import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDecoder } from "../../../collectors/flows/decoder.ts";
import type { Flow } from "../../../src/core/observation.ts";
import { readObservation, writeObservation } from "../../../src/core/observation.ts";
import {
  bytes,
  EXPORT_MS,
  ipfix,
  netflow5,
  netflow9,
  PLAIN,
  plainRecord,
  set,
  template,
  u16,
  u32,
} from "./encode.ts";

/** Datagrams that are wrong in one way each, by version, with what the decoder is to say of them. */
interface CorpusEntry {
  version: string;
  name: string;
  hex: string;
  reason: string | null;
  flows: number;
}
const corpus: CorpusEntry[] = JSON.parse(
  readFileSync(new URL("../../fixtures/flows/corpus.json", import.meta.url), "utf8"),
);
const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

/** Flows that reach the pipeline must be ones that its own door would take. */
function expectSound(flows: readonly Flow[]): void {
  for (const flow of flows) {
    const reading = readObservation(JSON.parse(writeObservation(flow)), Number.POSITIVE_INFINITY);
    expect(reading).toHaveProperty("observation");
    expect(flow.startMs).toBeLessThanOrEqual(flow.endMs);
  }
}

describe("the corpus", () => {
  it.each(corpus)("$version: $name", ({ hex, reason, flows: expected }) => {
    const flows: Flow[] = [];
    const said = createDecoder().decode(fromHex(hex), "192.0.2.1", 1, EXPORT_MS, flows);
    expect(said ?? null).toBe(reason);
    expect(flows.length).toBe(expected);
    expectSound(flows);
  });

  it.each(["v5", "v9", "ipfix", "sflow"])(
    "property: %s entries, cut and altered, in any order, never throw or loop",
    (version) => {
      const seeds = corpus.filter((entry) => entry.version === version).map(({ hex }) => fromHex(hex));
      expect(seeds.length).toBeGreaterThan(5);
      const altered = fc
        .tuple(
          fc.constantFrom(...seeds),
          fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }),
          fc.option(fc.nat(2000)),
        )
        .map(([seed, edits, cut]) => {
          const copy = Uint8Array.from(seed);
          for (const [at, value] of edits) if (copy.length > 2) copy[2 + (at % (copy.length - 2))] = value;
          return cut === null ? copy : copy.subarray(0, cut % (copy.length + 1));
        });
      fc.assert(
        fc.property(fc.array(altered, { maxLength: 12 }), (datagrams) => {
          const decoder = createDecoder();
          const flows: Flow[] = [];
          for (const datagram of datagrams) decoder.decode(datagram, "192.0.2.1", 1, EXPORT_MS, flows);
          expectSound(flows);
          expect(decoder.report()[0]?.lost ?? 0).toBeGreaterThanOrEqual(0);
        }),
        { numRuns: 400 },
      );
    },
  );
});

describe("any bytes at all", () => {
  it("property: random datagrams, with or without a version in front, are refused or read and nothing else", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([], u16(5), u16(9), u16(10), [...u32(5)]),
        fc.uint8Array({ maxLength: 1500 }),
        (head, body) => {
          const flows: Flow[] = [];
          createDecoder().decode(bytes(head, body), "192.0.2.1", 1, EXPORT_MS, flows);
          expectSound(flows);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("floods", () => {
  const flood = (count: number, datagram: (index: number) => Uint8Array, from: (index: number) => string) => {
    const decoder = createDecoder();
    const flows: Flow[] = [];
    decoder.decode(
      netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())]),
      "192.0.2.1",
      1,
      EXPORT_MS,
      flows,
    );
    for (let index = 0; index < count; index += 1) {
      decoder.decode(datagram(index), from(index), 1, EXPORT_MS + index, flows);
    }
    return { decoder, flows };
  };
  /** As many templates in one datagram, of ids not met in the last ones; built once, for building costs more than decoding. */
  const manyTemplates = (count: number) => {
    const oneField = bytes(u16(1), u16(8), u16(4));
    const built = Array.from({ length: 32 }, (_, index) =>
      netflow9([
        set(0, ...Array.from({ length: count }, (_, at) => bytes(u16(257 + index * count + at), oneField))),
      ]),
    );
    return (index: number) => built[index % built.length]!;
  };
  const kept = (decoder: ReturnType<typeof createDecoder>) =>
    decoder.save().reduce((sum, { templates }) => sum + templates.length, 0);

  it("a million templates from one spoofed exporter leave the one in use, and a bounded number of others", () => {
    const { decoder, flows } = flood(500, manyTemplates(2001), () => "192.0.2.1");
    expect(decoder.report()[0]?.templates).toBeGreaterThan(1_000_000);
    expect(kept(decoder)).toBe(256);
    decoder.decode(netflow9([set(256, plainRecord())]), "192.0.2.1", 1, EXPORT_MS, flows);
    expect(flows.length).toBe(2);
  });

  it("templates from ten thousand spoofed exporters do not push out one that brings flows", () => {
    const { decoder, flows } = flood(
      10_000,
      manyTemplates(24),
      (index) => `10.0.${index >> 8}.${index & 255}`,
    );
    expect(kept(decoder)).toBeLessThan(8192 + 257);
    expect(decoder.forgotten()).toBeGreaterThan(8000);
    decoder.decode(netflow9([set(256, plainRecord())]), "192.0.2.1", 1, EXPORT_MS, flows);
    expect(flows.length).toBe(2);
  });

  it("a forged exporter that brings flows and templates of many domains does not push out the others", () => {
    const built = Array.from({ length: 64 }, (_, domain) =>
      netflow9(
        [
          set(0, ...Array.from({ length: 250 }, (_, at) => template(256 + at, PLAIN))),
          set(256, plainRecord()),
        ],
        { domain },
      ),
    );
    const { decoder, flows } = flood(
      640,
      (index) => built[index % 64]!,
      () => "192.0.2.66",
    );
    const before = flows.length;
    decoder.decode(netflow9([set(256, plainRecord())]), "192.0.2.1", 1, EXPORT_MS, flows);
    expect(flows.length).toBe(before + 1);
    expect(kept(decoder)).toBeLessThanOrEqual(8192 + 250);
  });

  it("data without templates from many domains is held within one bound for all", () => {
    const datagram = ipfix([set(300, new Uint8Array(20_000))]);
    const inDomain = (index: number) => {
      new DataView(datagram.buffer).setUint32(12, index);
      return datagram;
    };
    const { decoder } = flood(3000, inDomain, (index) => `10.0.0.${index % 200}`);
    const report = decoder.report();
    const held = report.reduce((sum, { heldSets }) => sum + heldSets, 0);
    const dropped = report.reduce((sum, { droppedSets }) => sum + droppedSets, 0);
    expect((held - dropped) * 20_000).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  it("v5 from many engines and ports stays within its sequences", () => {
    const { flows } = flood(
      5000,
      (index) => netflow5([{}], { domain: index & 65_535 }),
      () => "192.0.2.1",
    );
    expect(flows.length).toBe(5001);
  });
});
