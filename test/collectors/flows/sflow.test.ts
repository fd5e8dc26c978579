import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDecoder } from "../../../collectors/flows/decoder.ts";
import { createFlows } from "../../../collectors/flows/flows.ts";
import type { Flow } from "../../../src/core/observation.ts";
import { bytes, EXPORT_MS, flowSample, ip4, rawHeader, sflow, sflowPart, u8, u16, u32 } from "./encode.ts";
import { ethernet, ip, ip6, pcap, tcp, udp } from "./pcap-file.ts";

function decodeAll(datagrams: readonly Uint8Array[]) {
  const decoder = createDecoder();
  const flows: Flow[] = [];
  const reasons = datagrams.map((datagram) => decoder.decode(datagram, "203.0.113.1", 1, EXPORT_MS, flows));
  return { flows, reasons: reasons.filter((reason) => reason !== undefined), report: decoder.report()[0]! };
}

const MINER = { protocol: 6, src: "198.51.100.7", dst: "192.0.2.9" };
const submit = ip(tcp(40_000, 3333, 0x18, new Uint8Array(60)), MINER);

describe("sFlow v5, by its specification", () => {
  it("makes of each sampled packet a flow, scaled by the sampling rate", () => {
    const { flows, reasons } = decodeAll([
      sflow([flowSample([rawHeader(1, ethernet(submit))], { rate: 512 })]),
    ]);
    expect(reasons).toEqual([]);
    expect(flows).toEqual([
      {
        type: "flow",
        exporter: "203.0.113.1",
        atMs: EXPORT_MS,
        src: "198.51.100.7",
        dst: "192.0.2.9",
        srcPort: 40_000,
        dstPort: 3333,
        protocol: 6,
        tcpFlags: 0x18,
        bytes: submit.length * 512,
        packets: 512,
        sampling: 512,
        startMs: EXPORT_MS,
        endMs: EXPORT_MS,
      },
    ]);
  });

  it("reads expanded samples, VLAN tags, bare IP, IPv6 with extensions, and headers cut short", () => {
    const tagged = bytes(ethernet(bytes(u16(7), u16(0x0800), submit), u16(0x8100)));
    const hopByHop = bytes(u8(17), u8(0), new Uint8Array(6), udp(new Uint8Array(4), 53));
    const { flows } = decodeAll([
      sflow([
        flowSample([rawHeader(1, tagged)], { expanded: true }),
        flowSample([rawHeader(11, submit)]),
        flowSample([rawHeader(12, ip6(hopByHop, 0))]),
        flowSample([rawHeader(11, submit.subarray(0, 22), submit.length)]),
      ]),
    ]);
    expect(flows).toMatchObject([
      { srcPort: 40_000, bytes: 120 - 20 },
      { dstPort: 3333, packets: 1 },
      { src: "::1", dst: "::2", protocol: 17, dstPort: 53 },
      { src: "198.51.100.7", dst: "192.0.2.9", srcPort: 0, bytes: 100 },
    ]);
    expect(flows[0]?.sampling).toBeUndefined();
  });

  it("reads packets that the agent took apart itself", () => {
    const four = sflowPart(
      3,
      u32(1500),
      u32(6),
      ip4("10.0.0.1"),
      ip4("10.0.0.2"),
      u32(5000),
      u32(3333),
      u32(0x10),
      u32(0),
    );
    const six = sflowPart(
      4,
      u32(900),
      u32(17),
      ...[new Uint8Array(15), u8(1), new Uint8Array(15), u8(2)],
      u32(5001),
      u32(53),
      u32(0),
      u32(0),
    );
    expect(decodeAll([sflow([flowSample([four]), flowSample([six])])]).flows).toMatchObject([
      { src: "10.0.0.1", dst: "10.0.0.2", srcPort: 5000, dstPort: 3333, bytes: 1500, tcpFlags: 16 },
      { src: "::1", dst: "::2", srcPort: 5001, bytes: 900, protocol: 17 },
    ]);
  });

  it("gives the kernel's least round trip where the agent has it, else the smoothed one", () => {
    const info = (rtt: number, least: number) =>
      sflowPart(2209, u32(1), new Uint8Array(24), u32(rtt), new Uint8Array(12), u32(least));
    const { flows } = decodeAll([
      sflow([
        flowSample([info(250_000, 182_500), rawHeader(11, submit)]),
        flowSample([rawHeader(11, submit), info(9000, 0)]),
      ]),
    ]);
    expect(flows.map(({ rttMs }) => rttMs)).toEqual([182.5, 9]);
  });

  it("steps over counters, and records and samples it does not know", () => {
    const { flows, reasons, report } = decodeAll([
      sflow([
        sflowPart(2, new Uint8Array(100)),
        sflowPart((4413 << 12) | 1, new Uint8Array(8)),
        flowSample([sflowPart(1001, new Uint8Array(16))]),
        flowSample([rawHeader(1, ethernet(new Uint8Array(46), u16(0x0806)))]),
        flowSample([rawHeader(11, submit)]),
      ]),
    ]);
    expect(flows.length).toBe(1);
    expect(reasons).toEqual([]);
    expect(report).toMatchObject({ records: 3, withoutAddress: 2 });
  });

  it("counts lost datagrams' samples", () => {
    const datagrams = Array.from({ length: 40 }, (_, sequence) =>
      sflow([flowSample([rawHeader(11, submit)]), flowSample([rawHeader(11, submit)])], { sequence }),
    );
    datagrams.splice(10, 4);
    expect(decodeAll(datagrams).report.lost).toBe(8);
  });

  it("is refused out of a recording without times", () => {
    const flows: Flow[] = [];
    const reason = createDecoder().decode(sflow([]), "203.0.113.1", 1, Number.NaN, flows);
    expect(reason).toContain("tells no times");
  });
});

const installed = (() => {
  try {
    execFileSync("pmacctd", ["-V"], { stdio: "ignore" });
    return true;
  } catch (error) {
    // Its version is told with exit code 1.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
})();
if (!installed && process.env.ASSAY_REQUIRE_SERVICES)
  throw new Error("pmacctd is required and not installed");
if (!installed) console.warn("pmacctd is not installed: sFlow is tested by its specification alone");

describe.skipIf(!installed)("sFlow v5, by pmacct's agent", () => {
  it("takes in every packet that Debian's pmacctd sends a sample of", async () => {
    const folder = await mkdtemp(join(tmpdir(), "assay-sflow-"));
    const sizes = Array.from({ length: 60 }, (_, index) => 60 + index);
    const packets = sizes.map((size, index) =>
      ethernet(ip(tcp(40_000 + index, 3333, 0x18, new Uint8Array(size)), MINER)),
    );
    await writeFile(join(folder, "traffic.pcap"), pcap(packets, { little: true }));
    const ending = new AbortController();
    const listening = Promise.withResolvers<number>();
    const collector = createFlows({
      name: "sflow",
      host: "127.0.0.1",
      port: 0,
      now: Date.now,
      log: () => {},
      onListening: ({ port }) => listening.resolve(port),
    });
    const flows: Flow[] = [];
    const done = (async () => {
      for await (const batch of collector.collect(ending.signal))
        flows.push(...(batch.observations as Flow[]));
    })();
    const settings = [
      "daemonize: false",
      "plugins: sfprobe",
      `sfprobe_receiver: 127.0.0.1:${await listening.promise}`,
      `pcap_savefile: ${join(folder, "traffic.pcap")}`,
      "sampling_rate: 1",
    ];
    await writeFile(join(folder, "pmacctd.conf"), settings.join("\n"));
    const agent = spawn("pmacctd", ["-f", join(folder, "pmacctd.conf")], { stdio: "ignore" });
    const exited = once(agent, "exit");
    try {
      // It keeps the samples of a datagram that is not full when it ends: at most six.
      await expect.poll(() => flows.length, { timeout: 15_000 }).toBeGreaterThan(53);
      expect(flows.map(({ srcPort }) => srcPort)).toEqual(flows.map((_, index) => 40_000 + index));
      expect(flows.map(({ bytes: size }) => size)).toEqual(
        sizes.slice(0, flows.length).map((size) => size + 40),
      );
      expect(new Set(flows.map(({ src, dst }) => `${src} ${dst}`))).toEqual(
        new Set(["198.51.100.7 192.0.2.9"]),
      );
      expect(collector.report().exporters).toMatchObject([{ records: flows.length, lost: 0, malformed: 0 }]);
    } finally {
      agent.kill("SIGTERM");
      await exited;
      ending.abort();
      await done;
      await rm(folder, { recursive: true });
    }
  });
});
