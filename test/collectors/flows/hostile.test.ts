import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDecoder } from "../../../collectors/flows/decoder.ts";
import type { Flow } from "../../../src/core/observation.ts";
import { readObservation, writeObservation } from "../../../src/core/observation.ts";
import {
  bytes,
  EXPORT_MS,
  flowSample,
  ip4,
  ipfix,
  netflow5,
  netflow9,
  PLAIN,
  plainRecord,
  set,
  sflow,
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
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
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

describe("a datagram cut short", () => {
  const sound = corpus.filter(({ name }) => name === "sound");
  it.each(sound)(
    "$version: at any byte gives no more than the whole, and the next is read",
    ({ hex, flows }) => {
      const whole = fromHex(hex);
      for (let length = 0; length < whole.length; length += 1) {
        const decoder = createDecoder();
        const cut: Flow[] = [];
        decoder.decode(whole.subarray(0, length), "192.0.2.1", 1, EXPORT_MS, cut);
        expect(cut.length, `${length} bytes`).toBeLessThanOrEqual(flows);
        expectSound(cut);
        const next: Flow[] = [];
        decoder.decode(whole, "192.0.2.1", 1, EXPORT_MS, next);
        // What was held from the first is read by the template in the second.
        expect(next.length, `after ${length} bytes`).toBeGreaterThanOrEqual(flows);
        expectSound(next);
      }
    },
  );
});

describe("exporters' clocks", () => {
  it.each([
    { version: "v5", datagram: netflow5([{}], { seconds: 0, uptimeMs: 60_000 }) },
    {
      version: "v9",
      datagram: netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())], { seconds: 0 }),
    },
    {
      version: "IPFIX",
      datagram: ipfix(
        [
          set(
            2,
            template(256, [
              [8, 4],
              [12, 4],
              [154, 8],
              [155, 8],
            ]),
          ),
          set(256, ip4("10.0.0.1"), ip4("10.0.0.2"), u32(9), u32(0), u32(9), u32(0)),
        ],
        { seconds: 0 },
      ),
    },
  ])("$version: in a recording, where they are believed, no flow is of before 1970", ({ datagram }) => {
    const flows: Flow[] = [];
    createDecoder({ recorded: true }).decode(datagram, "192.0.2.1", 1, Number.NaN, flows);
    expect(flows).toMatchObject([{ atMs: 0, startMs: 0, endMs: 0 }]);
    expectSound(flows);
  });
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

  /** Bytes of the heap and of buffers that are held after everything that is not was collected. */
  const heldBytes = () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };

  const own = set(257, u32(1));
  it.each([
    {
      version: "v5",
      datagram: (index: number) => netflow5([{}], { domain: index & 65_535, sequence: index * 7919 }),
    },
    {
      version: "v9",
      datagram: (index: number) =>
        netflow9([set(0, template(256 + (index % 60_000), PLAIN)), own], { domain: index % 70 }),
    },
    {
      version: "IPFIX",
      datagram: (index: number) =>
        ipfix([set(2, template(256 + (index % 60_000), PLAIN)), own], { domain: index % 70 }),
    },
    { version: "sFlow", datagram: (index: number) => sflow([flowSample([])], { subAgent: index }) },
  ])(
    "$version: twenty thousand datagrams of two thousand spoofed exporters stay below 32 MiB",
    ({ datagram }) => {
      // Built once, for building costs more than decoding; 500 and 1,999 have no common factor.
      const built = Array.from({ length: 500 }, (_, index) => datagram(index));
      const decoder = createDecoder();
      const before = heldBytes();
      let flows: Flow[] = [];
      for (let index = 0; index < 20_000; index += 1) {
        decoder.decode(
          built[index % 500]!,
          `10.1.${(index % 1999) >> 8}.${(index % 1999) & 255}`,
          index & 65_535,
          EXPORT_MS,
          flows,
        );
        if (index % 1000 === 0) flows = [];
      }
      flows = [];
      expect(heldBytes() - before).toBeLessThan(32 * 1024 * 1024);
      expect(decoder.report().length).toBeLessThanOrEqual(1024);
    },
  );

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
