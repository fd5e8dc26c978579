import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import type { Dataset } from "../../../models/evaluate/dataset.ts";
import type { Figure, Finding } from "../../../models/evaluate/figure.ts";
import { evaluateHoldouts } from "../../../models/evaluate/holdouts.ts";
import { evaluateLatency } from "../../../models/evaluate/latency.ts";
import { evaluatePopulation, type Scorer } from "../../../models/evaluate/population.ts";
import { scoreByRules } from "../../../models/evaluate/rules.ts";

const width = FEATURES.length;

/** Honest accounts and campaigns, one row each; the first feature tells them apart as far as `overlap` allows. */
function draw(honest: number, campaigns: number, overlap = 0): Dataset {
  const count = honest + campaigns;
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row += 1) {
    const campaign = row >= honest;
    rows[row * width] = campaign && (row - honest) / campaigns >= overlap ? 1 : (row % 97) / 100;
    const legMs = campaign ? 30 : (row % 50) / 10;
    rows[row * width + (FEATURE_INDEX.get("latency.hiddenLeg") as number)] = Math.log10(legMs + 1);
    rows[row * width + (FEATURE_INDEX.get("latency.hiddenShare") as number)] = campaign ? 0.7 : 0.05;
  }
  return {
    rows,
    count,
    atMs: new Float64Array(count),
    owner: Uint32Array.from({ length: count }, (_, row) => row),
    truth: Array.from({ length: count }, (_, row) => ({
      pool: "p",
      account: String(row),
      kind: row < honest ? "hobbyist" : "relay",
      typology: row < honest ? null : "relay",
      care: row < honest ? null : "middle",
      campaign: row < honest ? null : `c${row}`,
      machines: 12,
      hiddenLegMs: row < honest ? 0 : 30,
    })),
    worldOf: new Array(count).fill(0),
  };
}

const nothing: Scorer = { name: "nothing", score: (_, count) => new Float64Array(count) };
const byFirst: Scorer = {
  name: "first",
  score: (rows, count) => Float64Array.from({ length: count }, (_, row) => rows[row * width] as number),
};
const blind: Scorer = { name: "blind", score: (_, count) => new Float64Array(count) };

async function figures(findings: AsyncIterable<Finding>): Promise<Map<string, Figure>> {
  const found = new Map<string, Figure>();
  for await (const finding of findings) if ("figure" in finding) found.set(finding.figure, finding);
  return found;
}

const options = {
  part: "population" as const,
  rules: blind,
  baselines: [{ ...blind, name: "other" }],
  baseRate: 1e-4,
  threshold: 0.99,
};

test("a model that separates reaches every target it can, beside rivals that see nothing", async () => {
  const set = draw(5000, 40);
  const found = await figures(evaluatePopulation({ set, model: byFirst, ...options }));
  expect(found.get("population.recall_at_10")).toMatchObject({ value: 1, met: true, low: 1, high: 1 });
  expect(found.get("population.fpr_per_account_day")).toMatchObject({ value: 0, met: true });
  // Nothing in 5000 certifies no better than the rule of three.
  expect(found.get("population.fpr_per_account_day")?.high).toBeCloseTo(3 / 5000, 4);
  expect(found.get("population.recall_over_rules")).toMatchObject({ value: 80, met: true });
  expect(found.get("population.recall_over_best_baseline")).toMatchObject({ met: true });
});

test("half of the campaigns out of sight is half of the recall, and the table says it is missed", async () => {
  const found = await figures(evaluatePopulation({ set: draw(5000, 40, 0.5), model: byFirst, ...options }));
  const recall = found.get("population.recall_at_10") as Figure;
  expect(recall).toMatchObject({ value: 0.5, met: false });
  expect(recall.low).toBeLessThan(0.5);
  expect(recall.high).toBeGreaterThan(0.5);
});

test("recall is told by how long a campaign was seen", async () => {
  // Two campaigns of two windows each, eight days apart where the feature shows, two where it does not.
  const set = draw(5000, 4, 0.5);
  for (const [index, days] of [0, 2, 0, 8].entries()) set.atMs[5000 + index] = days * 86_400_000;
  for (const [index, campaign] of ["short", "short", "long", "long"].entries()) {
    const record = set.truth[5000 + index] as Dataset["truth"][number];
    record.campaign = campaign;
  }
  const tables: Finding[] = [];
  for await (const finding of evaluatePopulation({ set, model: byFirst, ...options })) tables.push(finding);
  const byDays = tables.find((one) => "table" in one && one.columns[0] === "days");
  expect(byDays).toMatchObject({
    rows: [
      ["0 to 7", 1, 0, "[0, 0]", 0],
      ["7 to 14", 1, 1, "[1, 1]", 1],
      ["14 to 21", 0, "–", expect.any(String), "–"],
      ["21 to 28", 0, "–", expect.any(String), "–"],
      ["28 to 56", 0, "–", expect.any(String), "–"],
      ["56 and more", 0, "–", expect.any(String), "–"],
    ],
  });
});

test("hold-outs report the lowest recall and the highest rate of false flags, by name", async () => {
  const trained: string[] = [];
  const found = await figures(
    evaluateHoldouts({
      set: draw(2000, 20),
      longer: { set: draw(2000, 20, 0.5), days: 28 },
      typologies: ["relay"],
      model: byFirst,
      threshold: 0.945,
      trainWithout: async (typology) => {
        trained.push(typology);
        return { learned: nothing, described: byFirst };
      },
      async *shifted() {
        yield { name: "calm", set: draw(90, 0) };
        yield { name: "rough", set: draw(970, 0) };
      },
    }),
  );
  expect(trained).toEqual(["relay"]);
  expect(found.get("holdouts.leave_one_out_recall")).toMatchObject({ value: 0, met: false });
  expect(found.get("holdouts.described_recall")).toMatchObject({ value: 1, met: true });
  expect(found.get("holdouts.described_recall_28_days")).toMatchObject({ value: 0.5, met: true });
  // Of the 97 values that repeat, .95 and .96 are flagged.
  expect(found.get("holdouts.shifted_fpr")?.value).toBeCloseTo(2 / 97, 3);
  expect(found.get("holdouts.shifted_fpr")?.note).toContain("rough");
});

test("a leg of 30 ms stands out from direct accounts", async () => {
  const found = await figures(evaluateLatency({ set: draw(1000, 30) }));
  expect(found.get("latency.recall_20ms_at_1pct")).toMatchObject({ value: 1, met: true });
});

test("rules fire on what is present, and on nothing missing", () => {
  const rows = new Float32Array(2 * width).fill(Number.NaN);
  rows[width + (FEATURE_INDEX.get("origin.comprehensive") as number)] = 1;
  rows[width + (FEATURE_INDEX.get("route.coincidence") as number)] = 5;
  expect([...scoreByRules(rows, 2)]).toEqual([0, 7]);
});
