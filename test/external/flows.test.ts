import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFlowsFile } from "../../collectors/flows/files.ts";
import type { Flow } from "../../src/core/observation.ts";

/**
 * Recordings of softflowd 1.1.0 exporting real loopback traffic, with counts that nfcapd confirmed: the same traffic
 * five times over, in every version. Read where ASSAY_EXTERNAL_DATA points.
 */
const data = process.env.ASSAY_EXTERNAL_DATA;
const folder = data ? join(data, "flows") : "";
if (!data) console.warn("ASSAY_EXTERNAL_DATA is not set: recorded exports are not tested");

async function replay(file: string) {
  const { batches, report } = readFlowsFile(join(folder, file));
  const flows: Flow[] = [];
  let refusals = 0;
  for await (const batch of batches) {
    for (const observation of batch.observations) if (observation.type === "flow") flows.push(observation);
    refusals += batch.refusals?.length ?? 0;
  }
  return { flows, refusals, report: report() };
}

const packetsOf = (flows: readonly Flow[]) => flows.reduce((sum, flow) => sum + flow.packets, 0);
const unscaled = (flows: readonly Flow[]) =>
  flows.reduce((sum, flow) => sum + flow.packets / (flow.sampling ?? 1), 0);

describe.skipIf(!existsSync(folder))("recorded exports", () => {
  it.each([
    { file: "v5.lpbin", records: 4260, flows: 4260, packets: 28_327, convention: "records-before" },
    { file: "v9.lpbin", records: 4308, flows: 4308, packets: 29_349, convention: "datagrams" },
    { file: "ipfix.lpbin", records: 4308, flows: 4308, packets: 29_349, convention: "flows-with" },
    { file: "ipfix_biflow.lpbin", records: 2185, flows: 4308, packets: 29_349, convention: "flows-with" },
    { file: "v9_sampled10.lpbin", records: 1965, flows: 1965, packets: 29_350, convention: "datagrams" },
  ])("$file: $records records, $packets packets, nothing lost", async (expected) => {
    const { flows, refusals, report } = await replay(expected.file);
    expect(flows.length).toBe(expected.flows);
    expect(packetsOf(flows)).toBe(expected.packets);
    expect(refusals).toBe(0);
    expect(report.get("")).toMatchObject([
      {
        records: expected.records,
        lost: 0,
        malformed: 0,
        droppedSets: 0,
        withoutAddress: 0,
        clockCorrected: 0,
        conventions: [expected.convention],
      },
    ]);
  });

  it("keeps the unscaled counts of the sampled stream beside the scaled ones", async () => {
    const { flows } = await replay("v9_sampled10.lpbin");
    expect(new Set(flows.map((flow) => flow.sampling))).toEqual(new Set([10]));
    expect(unscaled(flows)).toBe(2935);
  });

  it("takes the five streams of the capture apart by where they were sent", async () => {
    const { report } = await replay("exports.pcap");
    const byPort = Object.fromEntries(
      [...report].map(([to, [exporter]]) => [to, { records: exporter?.records, lost: exporter?.lost }]),
    );
    expect(byPort).toEqual({
      "127.0.0.1:2055": { records: 4260, lost: 0 },
      "127.0.0.1:2056": { records: 4308, lost: 0 },
      "127.0.0.1:2057": { records: 4308, lost: 0 },
      "127.0.0.1:2058": { records: 2185, lost: 0 },
      "127.0.0.1:2059": { records: 1965, lost: 0 },
    });
  });

  it("tells the same traffic in every version, to the byte", async () => {
    const key = ({ src, srcPort, dst, dstPort, protocol, bytes, packets, tcpFlags }: Flow) =>
      [src, srcPort, dst, dstPort, protocol, bytes, packets, tcpFlags].join(" ");
    const [v9, ipfix, biflow] = await Promise.all(
      ["v9.lpbin", "ipfix.lpbin", "ipfix_biflow.lpbin"].map(replay),
    );
    const sorted = (flows: readonly Flow[] = []) => flows.map(key).sort();
    expect(sorted(ipfix?.flows)).toEqual(sorted(v9?.flows));
    expect(sorted(biflow?.flows)).toEqual(sorted(ipfix?.flows));
  });

  it("reads the capture's times as the exporter wrote them", async () => {
    const { flows } = await replay("ipfix.lpbin");
    for (const flow of flows) {
      expect(flow.startMs).toBeLessThanOrEqual(flow.endMs);
      expect(flow.atMs - flow.endMs).toBeLessThan(120_000);
    }
  });

  it("counts exactly what is taken out of a stream, by any convention", async () => {
    // Kept apart from the decoder's own tests because only a real exporter proves a convention.
    const { createDecoder } = await import("../../collectors/flows/decoder.ts");
    const { readFileSync } = await import("node:fs");
    for (const file of ["v5.lpbin", "v9.lpbin", "ipfix.lpbin", "ipfix_biflow.lpbin"]) {
      const bytes = readFileSync(join(folder, file));
      const decoder = createDecoder();
      const whole = createDecoder();
      let number = 0;
      for (let offset = 0; offset < bytes.length; offset += 4 + bytes.readUInt32BE(offset)) {
        const datagram = bytes.subarray(offset + 4, offset + 4 + bytes.readUInt32BE(offset));
        whole.decode(datagram, "192.0.2.1", 1, Number.NaN, []);
        number += 1;
        if (number < 60 || number > 64) decoder.decode(datagram, "192.0.2.1", 1, Number.NaN, []);
      }
      const missing = whole.report()[0]!.records - decoder.report()[0]!.records;
      const { lost } = decoder.report()[0]!;
      // Version 9 numbers datagrams: how many records those five held is an estimate.
      if (file === "v9.lpbin") expect(lost / missing).toBeCloseTo(1, 0);
      else expect(lost, file).toBe(missing);
    }
  });
});
