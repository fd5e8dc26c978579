import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDatagrams, type Skipped } from "../../../collectors/flows/datagrams.ts";
import { readFlowsFile } from "../../../collectors/flows/files.ts";
import type { Refusal } from "../../../src/core/observation.ts";
import { bytes, netflow5, u16, u32 } from "./encode.ts";
import { ethernet, ip, ip6, pcap, pcapng, udp } from "./pcap-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "assay-flows-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function replay(content: Uint8Array) {
  const file = join(folder, "recording");
  await writeFile(file, content);
  const { batches, report } = readFlowsFile(file);
  let flows = 0;
  const refusals: Refusal[] = [];
  for await (const batch of batches) {
    flows += batch.observations.length;
    refusals.push(...(batch.refusals ?? []));
  }
  return { flows, refusals, report: report() };
}

const frame = (payload: Uint8Array) => bytes(u32(payload.length), payload);
describe("readFlowsFile", () => {
  it("reads framed datagrams, and stops with a reason where a frame is cut", async () => {
    const good = frame(netflow5([{}, {}]));
    expect(await replay(bytes(good, good))).toMatchObject({ flows: 4, refusals: [] });
    const cut = await replay(bytes(good, good.subarray(0, 40)));
    expect(cut).toMatchObject({ flows: 2, refusals: [{ place: "datagram 2" }] });
  });

  it("says of a file that is something else that it is", async () => {
    const { refusals } = await replay(Buffer.from("not a recording at all"));
    expect(refusals[0]?.reason).toContain("not a recording");
  });

  it.each([
    { name: "big-endian", options: {} },
    { name: "little-endian", options: { little: true } },
    { name: "nanoseconds", options: { nanoseconds: true } },
  ])("reads captures: $name", async ({ options }) => {
    const { flows, report } = await replay(pcap([ethernet(ip(udp(netflow5([{}]))))], options));
    expect(flows).toBe(1);
    expect(report.get("127.0.0.1:2055")?.[0]?.exporter).toBe("203.0.113.1");
  });

  it("counts fragments, steps over other traffic, and keeps each destination's exporters apart", async () => {
    const v5 = netflow5([{}]);
    const { flows, refusals, report } = await replay(
      pcap([
        ethernet(ip(udp(v5))),
        ethernet(ip(udp(v5), { fragment: 0x2000 })),
        ethernet(ip(udp(v5), { protocol: 6 })),
        ethernet(bytes(u16(7), u16(0x0800), ip(udp(v5, 9995))), u16(0x8100)),
      ]),
    );
    expect(flows).toBe(2);
    expect(refusals).toMatchObject([{ reason: "packet fragment", place: "packet 2" }]);
    expect([...report.keys()]).toEqual(["127.0.0.1:2055", "127.0.0.1:9995"]);
  });

  it("tells packets of a link type nobody knows", async () => {
    const { refusals } = await replay(pcap([new Uint8Array(60)], { linkType: 147 }));
    expect(refusals).toMatchObject([{ reason: "packet of an unknown link type" }]);
  });

  it.each([true, false])(
    "reads pcapng, little-endian: %s, each interface by its own clock and link type",
    async (little) => {
      const v5 = netflow5([{}]);
      const file = pcapng(
        [
          { linkType: 1, packet: ethernet(ip(udp(v5))) },
          { linkType: 101, resolution: 9, packet: ip(udp(v5, 9995)) },
        ],
        little,
      );
      const { report, flows } = await replay(file);
      expect(flows).toBe(2);
      expect([...report.keys()]).toEqual(["127.0.0.1:2055", "127.0.0.1:9995"]);
      const datagrams = [...readDatagrams(file, () => {})];
      expect(datagrams.map(({ atMs }) => atMs)).toEqual([1_767_225_600_250, 1_767_225_600_250]);
      const cut = await replay(file.subarray(0, file.length - 40));
      expect(cut).toMatchObject({ flows: 1, refusals: [{ reason: "packet cut short" }] });
    },
  );

  it("rejects a file that is not there", async () => {
    const { batches } = readFlowsFile(join(folder, "absent"));
    await expect(batches.next()).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("readDatagrams", () => {
  it("reads IPv6 and bare IP packets, with their times", () => {
    const datagrams = [...readDatagrams(pcap([ip6(udp(Uint8Array.of(1, 2)))], { linkType: 101 }), () => {})];
    expect(datagrams).toEqual([
      {
        atMs: 1_767_225_600_250,
        src: "::1",
        srcPort: 50_000,
        dst: "::2",
        dstPort: 2055,
        payload: Uint8Array.of(1, 2),
      },
    ]);
  });

  it("property: any packets give datagrams or a reason, and never throw", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 120 })),
        fc.constantFrom(0, 1, 101, 113, 276),
        fc.nat(3000),
        (packets, linkType, cut) => {
          const why: Skipped[] = [];
          const file = pcap([...packets, ethernet(ip(udp(Uint8Array.of(1))))], { linkType });
          const read = [
            ...readDatagrams(file.subarray(0, Math.max(24, file.length - cut)), (reason) => why.push(reason)),
          ];
          expect(read.length + why.length).toBeLessThanOrEqual(packets.length + 1);
        },
      ),
    );
  });
});
