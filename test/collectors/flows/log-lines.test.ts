import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLogFile } from "../../../collectors/flows/follow.ts";
import { createSuricataParser, type SuricataAlert } from "../../../collectors/flows/suricata.ts";
import { createZeekParser } from "../../../collectors/flows/zeek.ts";
import { readObservation, writeObservation } from "../../../src/core/observation.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const START = Date.UTC(2026, 10, 23, 10);
const seconds = START / 1000;

const zeekFields = [
  "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state",
  "local_orig missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes",
]
  .join(" ")
  .split(" ");
const zeekRow = (part: Record<string, string> = {}) => {
  const row: Record<string, string> = {
    ts: `${seconds}.250000`,
    uid: "CHhAvVGS1DHFjwGM9",
    "id.orig_h": "198.51.100.7",
    "id.orig_p": "40000",
    "id.resp_h": "192.0.2.9",
    "id.resp_p": "3333",
    proto: "tcp",
    service: "-",
    duration: "600.5",
    orig_bytes: "5000",
    resp_bytes: "90000",
    conn_state: "SF",
    local_orig: "T",
    missed_bytes: "0",
    history: "ShADadFf",
    orig_pkts: "120",
    orig_ip_bytes: "11240",
    resp_pkts: "140",
    resp_ip_bytes: "97280",
    ...part,
  };
  return zeekFields.map((field) => row[field]).join("\t");
};
const zeekHeader = [
  "#separator \\x09",
  "#set_separator\t,",
  "#unset_field\t-",
  `#fields\t${zeekFields.join("\t")}`,
];
const expected = [
  {
    type: "flow",
    exporter: "zeek",
    atMs: START + 600_750,
    startMs: START + 250,
    endMs: START + 600_750,
    src: "198.51.100.7",
    dst: "192.0.2.9",
    srcPort: 40_000,
    dstPort: 3333,
    protocol: 6,
    bytes: 11_240,
    packets: 120,
    tcpFlags: 0x13,
  },
  {
    src: "192.0.2.9",
    dst: "198.51.100.7",
    srcPort: 3333,
    dstPort: 40_000,
    bytes: 97_280,
    packets: 140,
    tcpFlags: 0x13,
  },
];

describe("Zeek's conn.log", () => {
  it("is read as tab-separated values, columns by their names", () => {
    const parse = createZeekParser("zeek", () => NOW);
    for (const line of zeekHeader) expect(parse(line)).toEqual([]);
    expect(parse(zeekRow())).toMatchObject(expected);
    expect(parse("#close\t2026-11-23-11-00-00")).toEqual([]);
  });

  it("is read as JSON, whichever way its times are written", () => {
    const record = {
      "id.orig_h": "198.51.100.7",
      "id.orig_p": 40_000,
      "id.resp_h": "192.0.2.9",
      "id.resp_p": 3333,
      proto: "tcp",
      duration: 600.5,
      history: "ShADadFf",
      orig_pkts: 120,
      orig_ip_bytes: 11_240,
      resp_pkts: 140,
      resp_ip_bytes: 97_280,
    };
    const parse = createZeekParser("zeek", () => NOW);
    expect(parse(JSON.stringify({ ts: seconds + 0.25, ...record }))).toMatchObject(expected);
    expect(parse(JSON.stringify({ ts: "2026-11-23T10:00:00.250000Z", ...record }))).toMatchObject(expected);
  });

  it("gives one flow where nothing came back, and counts what is unset as nothing", () => {
    const parse = createZeekParser("zeek", () => NOW);
    zeekHeader.map(parse);
    const unset = { duration: "-", resp_bytes: "-", resp_pkts: "0", resp_ip_bytes: "0", history: "S" };
    expect(parse(zeekRow(unset))).toMatchObject([
      { packets: 120, startMs: START + 250, endMs: START + 250, tcpFlags: 2 },
    ]);
  });

  it.each([
    { name: "no address", row: zeekRow({ "id.orig_h": "farm.example" }), reason: "source is not an address" },
    { name: "no port", row: zeekRow({ "id.resp_p": "70000" }), reason: "port is not one" },
    { name: "a negative count", row: zeekRow({ orig_pkts: "-5" }), reason: "count is not one" },
    { name: "no time", row: zeekRow({ ts: "noon" }), reason: "times are not ones" },
    { name: "a time before 1970", row: zeekRow({ ts: "-1" }), reason: "times are not ones" },
    { name: "a time to come", row: zeekRow({ ts: `${seconds + 86_400}` }), reason: "time in the future" },
    { name: "too few columns", row: "1\t2", reason: "2 columns where 19 are named" },
    { name: "broken JSON", row: "{", reason: "not JSON" },
  ])("refuses $name", ({ row, reason }) => {
    const parse = createZeekParser("zeek", () => NOW);
    zeekHeader.map(parse);
    expect(parse(row)).toBe(reason);
  });

  it("refuses columns without their names", () => {
    expect(createZeekParser("zeek", () => NOW)(zeekRow())).toBe("columns before their names");
  });
});

const eve = (part: object) => JSON.stringify({ timestamp: "2026-11-23T10:10:05.000100+0000", ...part });
const ends = {
  src_ip: "198.51.100.7",
  src_port: 40_000,
  dest_ip: "192.0.2.9",
  dest_port: 3333,
  proto: "TCP",
};
const flowEvent = {
  event_type: "flow",
  ...ends,
  flow: {
    pkts_toserver: 120,
    pkts_toclient: 140,
    bytes_toserver: 11_240,
    bytes_toclient: 97_280,
    start: "2026-11-23T12:00:00.250000+0200",
    end: "2026-11-23T10:10:00.750000+0000",
    state: "closed",
  },
  tcp: { tcp_flags: "1b", tcp_flags_ts: "13", tcp_flags_tc: "13" },
};

describe("Suricata's eve.json", () => {
  const parseWith = (onAlert?: (alert: SuricataAlert) => void) =>
    createSuricataParser({ exporter: "zeek", now: () => NOW, ...(onAlert ? { onAlert } : {}) });

  it("gives both directions of a flow event, and one of a netflow event", () => {
    expect(parseWith()(eve(flowEvent))).toMatchObject(expected);
    const { flow: _, ...rest } = flowEvent;
    const netflow = {
      ...rest,
      event_type: "netflow",
      netflow: { pkts: 5, bytes: 500, start: flowEvent.flow.start },
    };
    expect(parseWith()(eve(netflow))).toMatchObject([{ packets: 5, bytes: 500, endMs: START + 605_000 }]);
  });

  it("writes addresses as sockets do, though Suricata writes every zero of IPv6 out, or flows would join no session", () => {
    const written = {
      src_ip: "2001:0db8:0000:0000:0000:0000:0000:00a7",
      dest_ip: "0000:0000:0000:0000:0000:ffff:c000:0209",
      proto: "IPv6-ICMP",
    };
    const { src_port: _, dest_port: __, ...rest } = flowEvent;
    expect(parseWith()(eve({ ...rest, ...written }))).toMatchObject([
      { src: "2001:db8::a7", dst: "192.0.2.9", protocol: 58, srcPort: 0 },
      { src: "192.0.2.9", dst: "2001:db8::a7" },
    ]);
    const zoned = { src_ip: "fe80::1%eth0", dest_ip: "::ffff:192.0.2.9" };
    expect(parseWith()(eve({ ...rest, ...zoned }))).toMatchObject([{ src: "fe80::1", dst: "192.0.2.9" }, {}]);
  });

  it("takes the flow's own times, where a capture was read and the event's time is of no use", () => {
    const event = { ...flowEvent, timestamp: "1969-12-31T17:00:00.000000-0700" };
    expect(parseWith()(eve(event))).toMatchObject(expected);
  });

  it("tells alerts with their ends, and makes no flow of them", () => {
    const alerts: SuricataAlert[] = [];
    const alert = {
      action: "allowed",
      gid: 1,
      signature_id: 2_024_792,
      signature: "ET POLICY Cryptocurrency Miner Checkin",
      category: "Potential Corporate Privacy Violation",
      severity: 1,
    };
    expect(
      parseWith((told) => alerts.push(told))(
        eve({ event_type: "alert", ...ends, alert, flow: flowEvent.flow }),
      ),
    ).toEqual([]);
    expect(alerts).toEqual([
      {
        atMs: START + 605_000,
        signature: alert.signature,
        signatureId: 2_024_792,
        category: alert.category,
        severity: 1,
        src: "198.51.100.7",
        srcPort: 40_000,
        dst: "192.0.2.9",
        dstPort: 3333,
      },
    ]);
  });

  it.each([
    { name: "another event", line: eve({ event_type: "dns" }), gives: [] },
    { name: "no event", line: "{}", gives: "not an event" },
    { name: "an array", line: "[1]", gives: "not an object" },
    {
      name: "a flow without ends",
      line: eve({ ...flowEvent, src_ip: 7 }),
      gives: "source is not an address",
    },
    { name: "a flow without times", line: eve({ ...flowEvent, flow: {} }), gives: "times are not ones" },
    {
      name: "an alert without a signature",
      line: eve({ event_type: "alert", ...ends }),
      gives: "alert without its signature",
    },
  ])("answers $name", ({ line, gives }) => {
    expect(parseWith()(line)).toEqual(gives);
  });
});

describe("any line", () => {
  it("property: is parsed or refused, never thrown at, and what comes out our own door would take", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("198.51.100.7", "2001:db8::1", "tcp", "13", seconds, 3333),
    );
    const zeekLike = fc
      .dictionary(fc.constantFrom(...zeekFields), value)
      .map((record) => JSON.stringify(record));
    const row = fc.array(fc.constantFrom("1", "-", "198.51.100.7", "tcp", `${seconds}`, "", "\\x09"), {
      maxLength: 22,
    });
    const eveLike = fc
      .record({
        event_type: fc.constantFrom("flow", "netflow", "alert"),
        flow: value,
        alert: value,
        tcp: value,
        src_ip: value,
      })
      .map((record) => JSON.stringify({ ...flowEvent, ...record }));
    const line = fc.oneof(
      zeekLike,
      eveLike,
      row.map((columns) => columns.join("\t")),
      fc.string(),
      fc.constantFrom(...zeekHeader),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const parse of [
          createZeekParser("z", () => NOW),
          createSuricataParser({ exporter: "s", now: () => NOW }),
        ]) {
          for (const text of lines) {
            const parsed = parse(text);
            for (const flow of typeof parsed === "string" ? [] : parsed) {
              expect(readObservation(JSON.parse(writeObservation(flow)), NOW)).toHaveProperty("observation");
            }
          }
        }
      }),
    );
  });
});

describe("readLogFile", () => {
  it("reads a log once, and tells bad lines by their number", async () => {
    const folder = await mkdtemp(join(tmpdir(), "assay-zeek-"));
    const file = join(folder, "conn.log");
    await writeFile(file, [...zeekHeader, zeekRow(), "bad", zeekRow()].join("\n"));
    let flows = 0;
    const refusals: unknown[] = [];
    for await (const batch of readLogFile(
      file,
      createZeekParser("zeek", () => Number.POSITIVE_INFINITY),
    )) {
      flows += batch.observations.length;
      refusals.push(...(batch.refusals ?? []));
      expect(batch.cursor).toBeUndefined();
    }
    expect(flows).toBe(4);
    expect(refusals).toEqual([{ reason: "1 columns where 19 are named", place: `${file}:6` }]);
    await rm(folder, { recursive: true });
  });
});
