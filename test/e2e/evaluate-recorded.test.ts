import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FEATURES } from "#core/features.ts";
import { collect } from "../../models/collect.ts";
import type { Recording } from "../../models/recorded.ts";
import { readScenario } from "../../models/simulate/scenario.ts";
import { simulate } from "../../models/simulate/simulate.ts";
import { readRecordings } from "../../src/main/recordings.ts";
import { createOrigin } from "../../src/origin/origin.ts";
import { assay } from "../support/assay.ts";

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "assay-recorded-"));
  for (const seed of ["3", "4"]) {
    const args = ["--scenario", "hard", "--accounts", "40", "--days", "4", "--seed", seed];
    const run = await assay(["simulate", ...args, "--out", join(place, `pool-${seed}`)]);
    expect(run.code).toBe(0);
  }
}, 120_000);
afterAll(() => rm(place, { recursive: true }));

async function read(directory: string): Promise<Recording[]> {
  const { lookUp } = await createOrigin();
  const recordings: Recording[] = [];
  const quiet = { onRefused: () => undefined, onProgress: () => undefined };
  for await (const one of readRecordings(directory, { lookUpOrigin: lookUp, ...quiet })) recordings.push(one);
  return recordings;
}

test("a recording gives the vectors that the simulation it was written from gives", async () => {
  const [recording] = await read(join(place, "pool-3"));
  const { lookUp } = await createOrigin();
  const scenario = { ...readScenario("hard"), accounts: 40, days: 4 };
  const set = collect(simulate(scenario, 3), { lookUpOrigin: lookUp, stepHours: 12 });
  expect(recording?.set.count).toBe(set.count);
  expect(set.count).toBeGreaterThan(100);
  expect(recording?.set.owner).toEqual(set.owner);
  expect(recording?.set.atMs).toEqual(set.atMs);
  expect(recording?.unknown).toBe(0);
  // The public format has fewer digits than a simulation's numbers.
  const unlike = [...set.rows.entries()].filter(([at, value]) => {
    const read = recording?.set.rows[at] as number;
    return !Object.is(read, value) && !(Math.abs(read - value) < 0.005);
  });
  expect(unlike.map(([at]) => FEATURES[at % FEATURES.length]?.name)).toEqual([]);
}, 60_000);

test("recordings are judged together; what could not be read and what has no truth is told", async () => {
  await appendFile(join(place, "pool-3", "observations.ndjson"), '{"type":"share"}\n');
  const linesOf = async (file: string) => (await readFile(file, "utf8")).trim().split("\n");
  const lacking = join(place, "pool-4", "truth.ndjson");
  await writeFile(lacking, (await linesOf(lacking)).slice(1).join("\n"));
  // Whoever mines from a place under comprehensive sanctions is a screening hit, honest or not.
  const honest = join(place, "pool-3", "truth.ndjson");
  const records = (await linesOf(honest)).map((line) => {
    const record = JSON.parse(line);
    return record.typology === "sanctioned-origin" ? { ...record, campaign: null, typology: null } : record;
  });
  await writeFile(honest, records.map((record) => JSON.stringify(record)).join("\n"));
  const json = join(place, "figures.jsonl");
  const run = await assay(["evaluate", "recorded", "--data", place, "--json", json]);
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/pool-3 +[\d,]+ +1 +40 +\d+ +\d+ +1 +0\n/);
  expect(run.stdout).toMatch(/pool-4 +[\d,]+ +0 +39 +\d+ +\d+ +0 +1\n/);
  expect(run.stderr).toMatch(/pool-3\/observations\.ndjson:\d+: /);
  const figures = (await readFile(json, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(figures.map(({ figure }) => figure)).toEqual([
    "recorded.recall_at_10",
    "recorded.recall_at_10_all",
    "recorded.recall_at_10_every_day",
    "recorded.fpr_per_account_day",
    "recorded.recall_over_rules",
    "recorded.calibration_error",
    "recorded.brier",
    "recorded.conformal_ks_p",
  ]);
  expect(figures.every(({ evaluate }) => evaluate === "recorded")).toBe(true);
}, 120_000);

test("mistakes in the truth are told by line before anything is read, and nothing recorded is wrong usage", async () => {
  const campaign = { pool: "p", account: "a", campaign: "c", typology: "relay" };
  const lines = [campaign, { pool: "p" }, { pool: "p", account: "b" }, { pool: "p", account: "b" }];
  const truth = join(place, "pool-3", "truth.ndjson");
  await writeFile(truth, `${lines.map((line) => JSON.stringify(line)).join("\n")}\nnot JSON\n`);
  const run = await assay(["evaluate", "recorded", "--data", place]);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain(`${truth}:1: a campaign needs a typology and a care`);
  expect(run.stderr).toMatch(/truth\.ndjson:2: account /);
  expect(run.stderr).toMatch(/truth\.ndjson:4: b was told of on line 3/);
  expect(run.stderr).toMatch(/truth\.ndjson:5: not JSON/);
  expect(run.stdout).toBe("");
  const learn = await assay(["train", "--version", "0.0.1", "--recorded", place]);
  expect(learn.code).toBe(1);
  expect(learn.stderr).toContain(`${truth}:5: not JSON`);
  const elsewhere = join(place, "elsewhere");
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, "observations.ndjson"), "");
  await writeFile(
    join(elsewhere, "truth.ndjson"),
    '{"pool":"p","account":"a","campaign":"c","typology":"piracy","care":"middle"}\n',
  );
  const other = await assay(["train", "--version", "0.0.1", "--recorded", elsewhere]);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("no typology piracy; a model tells overseas-base");
  const short = join(place, "short");
  await mkdir(short);
  const [line] = (await readFile(join(place, "pool-4", "observations.ndjson"), "utf8")).split("\n", 1);
  await writeFile(join(short, "observations.ndjson"), `${line}\n`);
  await writeFile(join(short, "truth.ndjson"), '{"pool":"p","account":"a"}\n');
  const early = await assay(["evaluate", "recorded", "--data", short]);
  expect(early.code).toBe(1);
  expect(early.stderr).toContain("no window of a known account after its first 36 hours");
  const nothing = await assay(["evaluate", "recorded", "--data", join(place, "pool-9")]);
  expect(nothing.code).toBe(2);
  const unlearned = await assay(["train", "--version", "0.0.1", "--recorded", join(place, "pool-9")]);
  expect(unlearned.code).toBe(2);
  expect(unlearned.stderr).toContain("no observations.ndjson with a truth.ndjson in");
  const empty = await assay(["evaluate", "recorded"]);
  expect(empty.stderr).toContain("--data DIR is needed");
  expect(empty.code).toBe(2);
}, 60_000);
