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
});
