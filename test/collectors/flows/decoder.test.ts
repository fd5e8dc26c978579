import { describe, expect, it } from "vitest";
import { createDecoder } from "../../../collectors/flows/decoder.ts";
import type { Flow } from "../../../src/core/observation.ts";
import {
  bytes,
  EXPORT_MS,
  ip4,
  ipfix,
  netflow5,
  netflow9,
  options9,
  options10,
  PLAIN,
  plainRecord,
  set,
  type TemplateField,
  template,
  u8,
  u16,
  u32,
  u64,
} from "./encode.ts";

const EXPORTER = "203.0.113.1";

/** Decodes datagrams in order, received when they were exported. */
function decodeAll(datagrams: readonly Uint8Array[], decoder = createDecoder(), port = 50_000) {
  const flows: Flow[] = [];
  const reasons = datagrams.map((datagram) => decoder.decode(datagram, EXPORTER, port, EXPORT_MS, flows));
  return { flows, reasons: reasons.filter((reason) => reason !== undefined), report: decoder.report()[0]! };
}

const MINING = {
  type: "flow",
  exporter: EXPORTER,
  src: "198.51.100.7",
  dst: "192.0.2.9",
  srcPort: 40_000,
  dstPort: 3333,
  protocol: 6,
  bytes: 300,
  packets: 3,
  tcpFlags: 0x1b,
  atMs: EXPORT_MS,
  startMs: EXPORT_MS - 10_000,
  endMs: EXPORT_MS - 1000,
};

describe("NetFlow v5", () => {
  it("reads addresses, ports, counts, flags and times", () => {
    const { flows, reasons } = decodeAll([netflow5([{}])]);
    expect(flows).toEqual([MINING]);
    expect(reasons).toEqual([]);
  });

  it("scales by the header's sampling interval and keeps it beside", () => {
    const { flows } = decodeAll([netflow5([{}], { sampling: 0x4000 | 100 })]);
    expect(flows[0]).toMatchObject({ bytes: 30_000, packets: 300, sampling: 100 });
  });

  it("reads a flow that began before the exporter's clock wrapped at 49.7 days", () => {
    const { flows } = decodeAll([netflow5([{ first: 2 ** 32 - 4000, last: 500 }], { uptimeMs: 1000 })]);
    expect(flows[0]).toMatchObject({ startMs: EXPORT_MS - 5000, endMs: EXPORT_MS - 500 });
  });

  it("believes the bytes and not the header where fewer records came than it says", () => {
    const { flows, reasons } = decodeAll([netflow5([{}, {}], { count: 30 })]);
    expect(flows.length).toBe(2);
    expect(reasons).toEqual(["fewer records than the header says"]);
  });
});

describe("templates", () => {
  const versions = [
    { version: "v9", wrap: netflow9, templateSet: 0 },
    { version: "IPFIX", wrap: ipfix, templateSet: 2 },
  ];

  it("reads version 9 by a template that came in the same datagram", () => {
    const { flows, reasons } = decodeAll([
      netflow9([set(0, template(256, PLAIN)), set(256, plainRecord(), plainRecord(5), u16(0))]),
    ]);
    expect(flows).toEqual([MINING, { ...MINING, packets: 5 }]);
    expect(reasons).toEqual([]);
  });

  it.each(versions)(
    "$version: holds data that comes before its template, and reads it when it comes",
    ({ wrap, templateSet }) => {
      const decoder = createDecoder();
      const early = decodeAll([wrap([set(300, plainRecord())])], decoder);
      expect(early.flows).toEqual([]);
      const { flows, report } = decodeAll(
        [wrap([set(templateSet, template(300, PLAIN))], { sequence: 1 })],
        decoder,
      );
      expect(flows).toMatchObject([{ src: "198.51.100.7", packets: 3 }]);
      expect(report).toMatchObject({ heldSets: 1, droppedSets: 0, records: 1, flows: 1, lost: 0 });
    },
  );

  it.each(versions)(
    "$version: gives up the oldest held data when there is too much of it, and counts it",
    ({ wrap }) => {
      const datagrams = Array.from({ length: 100 }, (_, index) => wrap([set(300 + index, plainRecord())]));
      const { report } = decodeAll(datagrams);
      expect(report).toMatchObject({ heldSets: 100, droppedSets: 36 });
    },
  );

  it.each(versions)(
    "$version: takes a template redefined within one datagram, for what stands behind it",
    ({ wrap, templateSet }) => {
      const other = template(256, [
        [12, 4],
        [8, 4],
      ]);
      const { flows, report } = decodeAll([
        wrap([
          set(templateSet, template(256, PLAIN)),
          set(256, plainRecord()),
          set(templateSet, other),
          set(256, ip4("10.0.0.1"), ip4("10.0.0.2")),
        ]),
      ]);
      expect(flows).toMatchObject([{ src: "198.51.100.7" }, { src: "10.0.0.2", dst: "10.0.0.1" }]);
      expect(report).toMatchObject({ templates: 2, redefined: 1, flows: 2, droppedSets: 0 });
    },
  );

  it("takes a template redefined in mid-stream", () => {
    const shorter: TemplateField[] = [
      [8, 4],
      [12, 4],
      [2, 4],
    ];
    const { flows, report } = decodeAll([
      netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())]),
      netflow9([set(0, template(256, shorter))], { sequence: 1 }),
      netflow9([set(256, ip4("10.0.0.1"), ip4("10.0.0.2"), u32(9))], { sequence: 2 }),
    ]);
    expect(flows[1]).toMatchObject({ src: "10.0.0.1", dst: "10.0.0.2", packets: 9, bytes: 0, srcPort: 0 });
    expect(report.redefined).toBe(1);
  });

  it("keeps templates by version, domain and id, and not by source port", () => {
    const decoder = createDecoder();
    decodeAll([netflow9([set(0, template(256, PLAIN))])], decoder, 1000);
    expect(decodeAll([netflow9([set(256, plainRecord())])], decoder, 2000).flows.length).toBe(1);
    expect(decodeAll([netflow9([set(256, plainRecord())], { domain: 7 })], decoder).flows.length).toBe(0);
    expect(decodeAll([ipfix([set(256, plainRecord())])], decoder).flows.length).toBe(0);
  });

  it.each([
    { name: "without fields", fields: [], reason: "template without fields" },
    {
      name: "with records of no bytes",
      fields: [[8, 0]] as TemplateField[],
      reason: "template of records without bytes",
    },
    {
      name: "with too many fields",
      fields: Array.from({ length: 300 }, (): TemplateField => [1, 4]),
      reason: "template of more than 256 fields",
    },
  ])("refuses a template $name", ({ fields, reason }) => {
    expect(decodeAll([netflow9([set(0, template(256, fields))])]).reasons).toEqual([reason]);
  });

  it("counts a record without addresses instead of inventing some", () => {
    const { flows, report } = decodeAll([
      netflow9([set(0, template(256, [[2, 4]])), set(256, u32(1), u32(2))]),
    ]);
    expect(flows).toEqual([]);
    expect(report).toMatchObject({ records: 2, withoutAddress: 2 });
  });

  it("outlive a restart", () => {
    const before = createDecoder();
    decodeAll([ipfix([set(2, template(256, PLAIN)), set(256, plainRecord())])], before);
    const after = createDecoder();
    after.restore(JSON.parse(JSON.stringify(before.save())), EXPORT_MS);
    expect(decodeAll([ipfix([set(256, plainRecord())], { sequence: 1 })], after).flows.length).toBe(1);
  });

  it("are forgotten when they were neither sent nor used for a day", () => {
    const decoder = createDecoder();
    decodeAll([netflow9([set(0, template(256, PLAIN))])], decoder);
    const flows: Flow[] = [];
    const later = EXPORT_MS + 25 * 3_600_000;
    decoder.decode(netflow9([set(256, plainRecord())], { seconds: later / 1000 }), EXPORTER, 1, later, flows);
    expect(flows).toEqual([]);
  });
});

describe("IPFIX", () => {
  it("steps over enterprise fields and reads behind variable lengths, short and long", () => {
    const fields: TemplateField[] = [
      [82, 65_535],
      [8, 4],
      [99, 4, 12_345],
      [371, 65_535],
      [12, 4],
      [2, 8],
      [153, 8],
    ];
    const record = bytes(
      u8(3),
      [1, 2, 3],
      ip4("198.51.100.7"),
      u32(0),
      u8(255),
      u16(300),
      new Uint8Array(300),
      ip4("192.0.2.9"),
      u64(7),
      u64(EXPORT_MS - 5),
    );
    const { flows, reasons } = decodeAll([ipfix([set(2, template(256, fields)), set(256, record, record)])]);
    expect(flows.length).toBe(2);
    expect(flows[1]).toMatchObject({
      src: "198.51.100.7",
      dst: "192.0.2.9",
      packets: 7,
      endMs: EXPORT_MS - 5,
    });
    expect(reasons).toEqual([]);
  });

  it("makes two flows of a bidirectional record, and one when nothing came back", () => {
    const fields: TemplateField[] = [
      [8, 4],
      [12, 4],
      [7, 2],
      [11, 2],
      [1, 8],
      [2, 8],
      [1, 8, 29_305],
      [2, 8, 29_305],
      [6, 1, 29_305],
    ];
    const record = (back: number) =>
      bytes(
        ip4("198.51.100.7"),
        ip4("192.0.2.9"),
        u16(1),
        u16(2),
        u64(500),
        u64(5),
        u64(back * 100),
        u64(back),
        u8(18),
      );
    const { flows, report } = decodeAll([
      ipfix([set(2, template(256, fields)), set(256, record(4), record(0))]),
    ]);
    expect(flows).toMatchObject([
      { src: "198.51.100.7", dst: "192.0.2.9", srcPort: 1, dstPort: 2, packets: 5, bytes: 500 },
      { src: "192.0.2.9", dst: "198.51.100.7", srcPort: 2, dstPort: 1, packets: 4, bytes: 400, tcpFlags: 18 },
      { packets: 5 },
    ]);
    expect(report).toMatchObject({ records: 2, flows: 3 });
  });

  it("reads every clock it may be told the time by", () => {
    const ntp = (ms: number) => [
      ...u32(Math.floor(ms / 1000) + 2_208_988_800),
      ...u32(((ms % 1000) / 1000) * 2 ** 32),
    ];
    const start = EXPORT_MS - 8000;
    const cases: [TemplateField, number[]][] = [
      [[150, 4], u32(start / 1000)],
      [[152, 8], u64(start)],
      [[154, 8], ntp(start)],
      [[156, 8], ntp(start)],
      [[158, 4], u32(8_000_000)],
    ];
    for (const [clock, value] of cases) {
      const fields: TemplateField[] = [[8, 4], [12, 4], clock, [161, 4]];
      const record = bytes(ip4("10.0.0.1"), ip4("10.0.0.2"), value, u32(2500));
      const { flows } = decodeAll([ipfix([set(2, template(256, fields)), set(256, record)])]);
      expect(flows[0], `element ${clock[0]}`).toMatchObject({ startMs: start, endMs: start + 2500 });
    }
  });

  it("takes the boot time from an options record where flows are told relative to it", () => {
    const { flows } = decodeAll([
      ipfix([
        set(3, options10(256, [[143, 4]], [[160, 8]])),
        set(256, u32(1), u64(EXPORT_MS - 60_000)),
        set(2, template(257, PLAIN)),
        set(257, plainRecord()),
      ]),
    ]);
    expect(flows[0]).toMatchObject({ startMs: EXPORT_MS - 10_000, endMs: EXPORT_MS - 1000 });
  });

  it("reads IPv6 as the sockets and the tap write it", () => {
    const fields: TemplateField[] = [
      [27, 16],
      [28, 16],
    ];
    const address = bytes(u32(0x20010db8), u32(0), u32(1), u32(0));
    const mapped = bytes(u32(0), u32(0), u32(0xffff), ip4("192.0.2.9"));
    const { flows } = decodeAll([ipfix([set(2, template(256, fields)), set(256, address, mapped)])]);
    expect(flows[0]).toMatchObject({ src: "2001:db8::1:0:0", dst: "192.0.2.9" });
  });
});

describe("sampling", () => {
  it("applies an interface's rate to that interface's flows alone, even out of the same datagram", () => {
    const fields: TemplateField[] = [
      [8, 4],
      [12, 4],
      [10, 4],
      [2, 4],
      [1, 4],
    ];
    const record = (port: number) => bytes(ip4("10.0.0.1"), ip4("10.0.0.2"), u32(port), u32(2), u32(80));
    const { flows } = decodeAll([
      netflow9([
        set(
          1,
          options9(
            256,
            [[2, 4]],
            [
              [34, 4],
              [35, 1],
            ],
          ),
        ),
        set(256, u32(3), u32(50), u8(1), u16(0), u8(0)),
        set(0, template(257, fields)),
        set(257, record(3), record(4)),
      ]),
    ]);
    expect(flows).toMatchObject([
      { packets: 100, bytes: 4000, sampling: 50 },
      { packets: 2, bytes: 80 },
    ]);
    expect(flows[1]?.sampling).toBeUndefined();
  });

  it("applies a sampler's rate by the sampler's id, and one without scope to all", () => {
    const fields: TemplateField[] = [
      [8, 4],
      [12, 4],
      [48, 1],
      [2, 4],
    ];
    const record = (sampler: number) => bytes(ip4("10.0.0.1"), ip4("10.0.0.2"), u8(sampler), u32(1));
    const { flows } = decodeAll([
      netflow9([
        set(
          1,
          options9(
            256,
            [[1, 4]],
            [
              [48, 1],
              [50, 4],
            ],
          ),
          options9(258, [[1, 4]], [[34, 4]]),
        ),
        set(256, u32(0), u8(2), u32(1000)),
        set(258, u32(0), u32(64)),
        set(0, template(257, fields)),
        set(257, record(2), record(9)),
      ]),
    ]);
    expect(flows.map((flow) => flow.sampling)).toEqual([1000, 64]);
  });

  it.each([
    {
      name: "interval and space",
      fields: [
        [305, 4],
        [306, 4],
      ] as TemplateField[],
      value: [...u32(1), ...u32(511)],
    },
    {
      name: "size and population",
      fields: [
        [309, 4],
        [310, 4],
      ] as TemplateField[],
      value: [...u32(2), ...u32(1024)],
    },
  ])("understands packets by $name", ({ fields, value }) => {
    const { flows } = decodeAll([
      ipfix([
        set(3, options10(256, [[143, 4]], fields)),
        set(256, u32(1), value),
        set(
          2,
          template(257, [
            [8, 4],
            [12, 4],
            [2, 4],
          ]),
        ),
        set(257, ip4("10.0.0.1"), ip4("10.0.0.2"), u32(3)),
      ]),
    ]);
    expect(flows[0]).toMatchObject({ packets: 3 * 512, sampling: 512 });
  });

  it("does not believe a rate of a thousand million", () => {
    const { flows } = decodeAll([
      ipfix([
        set(
          2,
          template(257, [
            [8, 4],
            [12, 4],
            [34, 4],
            [2, 4],
          ]),
        ),
        set(257, ip4("10.0.0.1"), ip4("10.0.0.2"), u32(1e9), u32(3)),
      ]),
    ]);
    expect(flows[0]?.packets).toBe(3);
  });
});

describe("round trips", () => {
  it("adds both legs of nProbe's latency, each of which is half a round trip", () => {
    const { flows } = decodeAll([
      ipfix([
        set(
          2,
          template(257, [
            [8, 4],
            [12, 4],
            [123, 4, 35_632],
            [124, 4, 35_632],
          ]),
        ),
        set(257, ip4("10.0.0.1"), ip4("10.0.0.2"), u32(90), u32(1)),
      ]),
    ]);
    expect(flows[0]?.rttMs).toBe(182);
  });
});

describe("clocks that cannot be true", () => {
  it("moves the flows of an exporter whose clock was never set to the time of receipt, lengths kept", () => {
    const { flows, report } = decodeAll([netflow5([{}], { seconds: 86_400 })]);
    expect(flows[0]).toMatchObject({ atMs: EXPORT_MS, startMs: EXPORT_MS - 10_000, endMs: EXPORT_MS - 1000 });
    expect(report.clockCorrected).toBe(1);
  });

  it("never tells of a time before 1970 or an end before its start", () => {
    const fields: TemplateField[] = [
      [8, 4],
      [12, 4],
      [154, 8],
      [155, 8],
    ];
    const record = bytes(ip4("10.0.0.1"), ip4("10.0.0.2"), u32(5), u32(0), u32(1), u32(0));
    const { flows } = decodeAll([ipfix([set(2, template(256, fields)), set(256, record)])]);
    expect(flows[0]).toMatchObject({ startMs: EXPORT_MS, endMs: EXPORT_MS });
  });
});

describe("a restarted exporter", () => {
  const run = (port: number, decoder: ReturnType<typeof createDecoder>, numbers: readonly number[]) =>
    decodeAll(
      numbers.map((sequence) => netflow5([{}, {}], { sequence })),
      decoder,
      port,
    );

  it("sends from another port, and what was missing before is counted at once", () => {
    const lost: number[] = [];
    const decoder = createDecoder({ onLost: (_exporter, records) => lost.push(records) });
    run(1000, decoder, [0, 2, 4, 6, 12, 14]);
    expect(lost).toEqual([]);
    const { report } = run(2000, decoder, [0, 2]);
    expect(lost).toEqual([4]);
    expect(report.lost).toBe(4);
  });

  it("does not make another one's late datagram a loss that stays", () => {
    const decoder = createDecoder();
    run(1000, decoder, [0, 2, 4, 6, 10]);
    run(2000, decoder, [0]);
    run(1000, decoder, [8, 12, 14, 16, 20, 22, 24, 26, 28, 30, 32, 34, 36]);
    // Two that were late were told too early, and are not told a second time where two others are lost.
    expect(run(1000, decoder, [38]).report.lost).toBe(2);
  });
});
