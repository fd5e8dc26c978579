import { expect, test } from "vitest";
import { describeLatency, describeOrigin, latencyFigures } from "../../src/origin/describe.ts";

test("an origin is told in words, each fact with its source", () => {
  const facts = [{ fact: "country" as const, value: "KP", source: "assay networks 2026-11-23: APNIC" }];
  const origin = { ip: "175.45.176.1", country: "KP", region: "", asn: 131279, holder: "Star JV" };
  expect(
    describeOrigin({ ...origin, kind: "business", tier: "comprehensive", confidence: 0.99, facts }),
  ).toEqual([
    "175.45.176.1: KP, AS131279 Star JV, business, tier comprehensive, confidence 0.99",
    "  country KP: assay networks 2026-11-23: APNIC",
  ]);
});

test("an evaluation is told as tables, and as figures under their public names", () => {
  const row = { method: "minima (in use)", samples: 60, thresholdMs: 12 };
  const evaluation = {
    rows: [
      { ...row, hiddenMs: 5, recallAt1Percent: 0.125, auc: 0.918 },
      { ...row, hiddenMs: 20, recallAt1Percent: 0.95, auc: 0.99 },
      { ...row, samples: 12, hiddenMs: 20, recallAt1Percent: 0.5, auc: 0.9 },
    ],
    falsePositives: [{ condition: "clean" as const, part: 0.003 }],
    inUse: { falsePositiveRate: 0.003, recall20Ms: 0.94 },
    estimates: [{ hiddenMs: 20, medianErrorMs: 3.21, covered: 0.999 }],
  };
  expect(latencyFigures(evaluation)).toEqual([
    { figure: "latency.recall_5ms_at_1pct", value: 0.125, unit: "part of relays" },
    { figure: "latency.recall_20ms_at_1pct", value: 0.95, unit: "part of relays" },
    { figure: "latency.fpr_in_use", value: 0.003, unit: "part of direct miners" },
    { figure: "latency.recall_20ms_in_use", value: 0.94, unit: "part of relays" },
  ]);
  const text = describeLatency(evaluation).join("\n");
  expect(text).toContain("minima (in use)           60   12.5 %  95.0 %    0.918  0.990");
  expect(text).toContain("94.0 % of relays with 20 ms, 0.3 % of direct miners");
});
