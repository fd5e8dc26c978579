import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Answered } from "#core/precision.ts";
import { truthOfAnswers } from "../../models/evaluate/answered-truth.ts";
import { readTruth } from "../../models/recorded.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { aFlag, EVIDENCE } from "../store/flags.ts";
import { assay } from "../support/assay.ts";

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "assay-verdicts-"));
});
afterEach(() => rm(place, { recursive: true }));

const OPENED = Date.parse("2026-01-05T12:00:00.000Z");
const HOUR = 3_600_000;

test("verdicts are read back from the store of a service that runs, with figures, tables and report", async () => {
  const config = join(place, "assay.yaml");
  await writeFile(config, `data: { directory: ${place} }\n`);
  const ops = await openOps({ file: join(place, "ops.db") });
  for (let index = 0; index < 12; index += 1) {
    const model = { name: "m", version: index < 6 ? "1.0.0" : "1.1.0" };
    const typologies = [{ name: index % 2 ? "relay" : "structuring", probability: 0.7 }];
    const openedAt = new Date(OPENED + index * 24 * HOUR).toISOString();
    const score = index < 10 ? 0.7 : 0.97;
    const flag = aFlag({ id: `f${index}`, account: `a${index}`, model, typologies, score, openedAt });
    await ops.raise({ ...flag, updatedAt: openedAt }, EVIDENCE, []);
  }
  const decide = (index: number, outcome: "confirm" | "useful" | "false-positive", hours: number) => {
    const atMs = OPENED + (index * 24 + hours) * HOUR;
    return ops.decide({ flagId: `f${index}`, outcome, comment: "", actor: "ada", atMs });
  };
  for (let index = 0; index < 10; index += 1)
    await decide(index, index < 7 ? "confirm" : "false-positive", 4);
  // The last verdict counts: this one was a mistake.
  await decide(7, "useful", 30);

  const [json, report] = [join(place, "figures.jsonl"), join(place, "report.html")];
  const truth = join(place, "truth.ndjson");
  const outputs = ["--json", json, "--report", report, "--truth", truth];
  const run = await assay(["evaluate", "verdicts", "--config", config, ...outputs]);
  await ops.close();
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  const lines = (await readFile(json, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const figures = Object.fromEntries(lines.map((line) => [line.figure, line]));
  expect(figures["verdicts.precision"]).toMatchObject({ evaluate: "verdicts", value: 0.8 });
  expect(figures["verdicts.precision"].low).toBeCloseTo(0.4439, 4);
  expect(figures["verdicts.precision"].high).toBeCloseTo(0.9748, 4);
  expect(figures["verdicts.expected_precision"].value).toBeCloseTo(0.7, 9);
  expect(figures["verdicts.expected_precision"].met).toBe(true);
  expect(figures["verdicts.flags"]).toMatchObject({ value: 12, note: "12 anomalies; 2 wait for an answer" });
  expect(figures["verdicts.anomalies_per_day"].value).toBeCloseTo(12 / 11, 9);
  expect(figures["verdicts.hours_to_verdict"].value).toBeCloseTo(4, 9);
  expect(run.stdout).toMatch(/Anomalies by score[\s\S]*0\.65 to 0\.8 +10 +7 +1 +2 +0\.800/);
  expect(run.stdout).toMatch(/Anomalies by typology[\s\S]*relay +5[\s\S]*structuring +5/);
  expect(run.stdout).toMatch(/Anomalies by model[\s\S]*m 1\.0\.0 +6 +6 +0 +0 +1\D/);
  const said = readTruth(await readFile(truth, "utf8"), truth);
  expect(
    said
      .filter(({ campaign }) => campaign !== null)
      .map(({ account }) => account)
      .sort(),
  ).toEqual(Array.from({ length: 7 }, (_, index) => `a${index}`));
  expect(
    said
      .filter(({ campaign }) => campaign === null)
      .map(({ account }) => account)
      .sort(),
  ).toEqual(["a8", "a9"]);
  expect(await readFile(report, "utf8")).toMatch(/Measured precision against the promised one<\/h3><svg/);
});

test("verdicts are written as truth: confirmed is a campaign's, a false positive is honest, of others nothing is said", () => {
  const answers = (
    [
      ["useful", "a", ["relay"]],
      ["false-positive", "b", ["relay"]],
      ["false-positive", "c", ["relay"]],
      ["confirm", "c", ["operator-hours", "structuring", "relay"]],
      ["confirm", "c", ["relay"]],
      ["useful", "d", ["relay"]],
      ["false-positive", "d", ["relay"]],
      ["confirm", "e", ["one-of-ones-own"]],
    ] as const
  ).map(([outcome, account, typologies]) => ({
    ...{ kind: "anomaly" as const, pool: "p", account, typologies, outcome, score: 0.9 },
    ...{ model: { name: "m", version: "1.0.0" }, openedMs: 0, answeredMs: 1 },
  }));
  const screening = { ...(answers[0] as Answered), kind: "screening" as const, outcome: "confirm" as const };
  const lines = truthOfAnswers([...answers, { ...screening, account: "s" }]);
  const truth = readTruth(lines, "truth.ndjson");
  expect(truth.map(({ account, campaign, typology }) => [account, campaign, typology])).toEqual([
    ["b", null, null],
    ["c", "c", "structuring"],
  ]);
});

test("a place without a store is wrong usage, and nothing is made there", async () => {
  const config = join(place, "assay.yaml");
  await writeFile(config, `data: { directory: ${join(place, "nothing")} }\n`);
  const run = await assay(["evaluate", "verdicts", "--config", config]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain(`no operations store at ${join(place, "nothing", "ops.db")}`);
});
