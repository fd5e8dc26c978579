import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawHere } from "../../models/draw-worlds.ts";
import { holdoutsFindings, latencyFindings, populationFindings } from "../../models/evaluations.ts";
import { TREES } from "../../models/fit-model.ts";
import { loadModel } from "../../models/load-model.ts";
import { createOrigin } from "../../src/origin/origin.ts";

const shelf = join(import.meta.dirname, "../../models/consistency");

const shipped = async () => {
  const versions = readdirSync(shelf).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return loadModel(join(shelf, versions.at(-1) as string));
};

test("a typology is left out, and described to what was learned from the others", async () => {
  const model = await shipped();
  const { lookUp } = await createOrigin();
  const training = {
    typologies: ["relay"],
    volume: { accounts: 60, learn: 1, fit: 1 },
    sizes: { trunk: 12, middle: 8, code: 4, typology: 8, risk: 4 },
    schedule: { epochs: 2, batch: 64, learningRate: 0.005 },
    trees: { ...TREES, trees: 20 },
  };
  const findings = [];
  for await (const finding of holdoutsFindings({
    model,
    draw: drawHere(lookUp),
    worlds: 1,
    accounts: 60,
    training,
  }))
    findings.push(finding);
  expect(findings.flatMap((finding) => ("figure" in finding ? [finding.figure] : []))).toEqual([
    "holdouts.leave_one_out_recall",
    "holdouts.described_recall",
    "holdouts.leave_one_out_recall_84_days",
    "holdouts.described_recall_84_days",
    "holdouts.shifted_fpr",
  ]);
  const [left, longer, shifted] = findings.flatMap((finding) => ("table" in finding ? [finding] : []));
  const numbers = Array.from({ length: 4 }, () => expect.any(Number));
  for (const table of [left, longer]) expect(table?.rows).toMatchObject([["relay", ...numbers]]);
  expect(shifted?.rows.map(([name]) => name)).toContain("the hard honest set");
  await model.close();
}, 120_000);

test("a small population and its round trips are simulated and judged by the shipped model, the same each time", async () => {
  const model = await shipped();
  const { lookUp } = await createOrigin();
  const notes: string[] = [];
  const options = {
    model,
    draw: drawHere(lookUp),
    worlds: 1,
    accounts: 60,
    onProgress: (done: number, total: number) => notes.push(`${done}/${total}`),
  };
  const read = async () => {
    const findings = [];
    for await (const finding of populationFindings(options)) findings.push(finding);
    for await (const finding of latencyFindings(options)) findings.push(finding);
    return findings;
  };
  const findings = await read();
  const names = findings.flatMap((finding) => ("figure" in finding ? [finding.figure] : []));
  const judged = [
    "recall_at_10",
    "recall_at_10_all",
    "recall_at_10_every_day",
    "fpr_per_account_day",
    "recall_over_rules",
    "calibration_error",
    "brier",
    "conformal_ks_p",
  ];
  expect(names).toEqual([
    ...["population", "season"].flatMap((part) => judged.map((name) => `${part}.${name}`)),
    "latency.recall_20ms_at_1pct",
  ]);
  for (const finding of findings) if ("figure" in finding) expect(finding.value).not.toBeNaN();
  expect(notes).toEqual(["1/2", "2/2", "1/1"]);
  expect(await read()).toEqual(findings);
  await model.close();
}, 120_000);
