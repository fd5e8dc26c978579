import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawHere } from "../../models/draw-worlds.ts";
import { latencyFindings, populationFindings } from "../../models/evaluations.ts";
import { loadModel } from "../../models/load-model.ts";
import { createOrigin } from "../../src/origin/origin.ts";

const shelf = join(import.meta.dirname, "../../models/consistency");

test("a small population and its round trips are simulated and judged by the shipped model, the same each time", async () => {
  const version = readdirSync(shelf)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .at(-1) as string;
  const model = await loadModel(join(shelf, version));
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
  expect(names).toEqual([
    "population.recall_at_10",
    "population.recall_at_10_every_day",
    "population.fpr_per_account_day",
    "population.recall_over_rules",
    "population.calibration_error",
    "population.brier",
    "population.conformal_ks_p",
    "latency.recall_20ms_at_1pct",
  ]);
  for (const finding of findings) if ("figure" in finding) expect(finding.value).not.toBeNaN();
  expect(notes).toEqual(["1/1", "1/1"]);
  expect(await read()).toEqual(findings);
  await model.close();
}, 120_000);
