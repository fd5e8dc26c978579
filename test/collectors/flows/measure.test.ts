import { describe, expect, it } from "vitest";
import { createFlowMeasure } from "../../../collectors/flows/measure.ts";
import type { Flow } from "../../../src/core/observation.ts";
import type { Origin } from "../../../src/core/origin.ts";
import { EXPORT_MS } from "./encode.ts";

const flow = (part: Partial<Flow>): Flow => ({
  type: "flow",
  atMs: EXPORT_MS,
  exporter: "edge",
  src: "175.45.176.1",
  dst: "192.0.2.9",
  srcPort: 40_000,
  dstPort: 3333,
  protocol: 6,
  bytes: 100,
  packets: 2,
  startMs: EXPORT_MS,
  endMs: EXPORT_MS,
  ...part,
});
const origins = new Map<string, Origin>();
let lookUps = 0;
const lookUp = (ip: string): Origin => {
  lookUps += 1;
  const country = ip.startsWith("175.45.") ? "KP" : "DE";
  const origin =
    origins.get(country) ?? ({ country, tier: country === "KP" ? "comprehensive" : "none" } as Origin);
  origins.set(country, origin);
  return origin;
};

describe("createFlowMeasure", () => {
  it("counts both directions for the client's country, by the minute", () => {
    const measure = createFlowMeasure(lookUp);
    measure.take([
      flow({}),
      flow({ src: "192.0.2.9", dst: "175.45.176.1", srcPort: 3333, dstPort: 40_000, bytes: 50 }),
      flow({ src: "198.51.100.1", bytes: 7 }),
      flow({ atMs: EXPORT_MS + 60_000 }),
    ]);
    expect(measure.takeDeltas()).toMatchObject([
      {
        measurement: "flow",
        tags: ["edge", "KP", "comprehensive"],
        bucketMs: EXPORT_MS,
        values: [2, 150, 4, 0],
      },
      { measurement: "flow", tags: ["edge", "DE", "none"], bucketMs: EXPORT_MS, values: [1, 7, 2, 0] },
      {
        measurement: "flow",
        tags: ["edge", "KP", "comprehensive"],
        bucketMs: EXPORT_MS + 60_000,
        values: [1, 100, 2, 0],
      },
    ]);
    expect(measure.takeDeltas()).toEqual([]);
  });

  it("goes on counting into fresh deltas after they were taken", () => {
    const measure = createFlowMeasure(lookUp);
    measure.take([flow({})]);
    measure.takeDeltas();
    measure.take([flow({})]);
    expect(measure.takeDeltas()[0]?.values).toEqual([1, 100, 2, 0]);
  });

  it("counts lost records under no country", () => {
    const measure = createFlowMeasure(lookUp);
    measure.lost("edge", 28, EXPORT_MS);
    expect(measure.takeDeltas()).toMatchObject([
      { measurement: "flow", tags: ["edge", "ZZ", "unknown"], bucketMs: EXPORT_MS, values: [0, 0, 0, 28] },
    ]);
  });

  it("looks an address up once an hour", () => {
    const measure = createFlowMeasure(lookUp);
    lookUps = 0;
    measure.take([flow({}), flow({}), flow({ atMs: EXPORT_MS + 3_600_000 })]);
    expect(lookUps).toBe(2);
  });

  it("keeps exporters apart that tell of the same client in turns, each by its own clock", () => {
    const measure = createFlowMeasure(lookUp);
    const core = { exporter: "core", atMs: EXPORT_MS - 90_000 };
    measure.take([flow({}), flow(core), flow({}), flow(core), flow({ atMs: EXPORT_MS - 1 })]);
    const found = measure
      .takeDeltas()
      .map(({ tags, bucketMs, values }) => [tags[0], bucketMs - EXPORT_MS, values[0]]);
    expect(found).toEqual([
      ["edge", 0, 2],
      ["core", -120_000, 2],
      ["edge", -60_000, 1],
    ]);
  });

  it("counts every flow of more clients than it remembers", () => {
    const measure = createFlowMeasure(lookUp);
    const clients = Array.from({ length: 70_000 }, (_, index) =>
      flow({ src: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` }),
    );
    measure.take(clients);
    measure.take(clients.slice(0, 100));
    expect(measure.takeDeltas()).toMatchObject([
      { tags: ["edge", "DE", "none"], values: [70_100, 7_010_000, 140_200, 0] },
    ]);
  });
});
