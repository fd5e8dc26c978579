import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readObservation } from "#core/observation.ts";
import { readScenario } from "../../../models/simulate/scenario.ts";
import { simulate } from "../../../models/simulate/simulate.ts";
import { writeSimulation } from "../../../models/simulate/write.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-simulate-"));
});
afterEach(() => rm(directory, { recursive: true }));

const scenario = readScenario({
  accounts: 12,
  days: 0.5,
  maxMachines: 20,
  campaigns: [{ typology: "relay", care: "middle" }],
});

test("what is written is valid, complete and byte-identical for the same seed", async () => {
  const one = join(directory, "one");
  const two = join(directory, "two");
  const counted = await writeSimulation(simulate(scenario, 9), one, { ckpool: true });
  await writeSimulation(simulate(scenario, 9), two, { ckpool: true });
  const lines = (await readFile(join(one, "observations.ndjson"), "utf8")).trimEnd().split("\n");
  expect(lines).toHaveLength(counted.observations);
  for (const line of lines) expect(readObservation(JSON.parse(line), Infinity)).toHaveProperty("observation");
  const truth = (await readFile(join(one, "truth.ndjson"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(truth).toHaveLength(counted.accounts);
  expect(truth.filter(({ typology }) => typology === "relay")).toHaveLength(1);
  for (const name of ["observations.ndjson", "truth.ndjson"])
    expect(await readFile(join(one, name))).toEqual(await readFile(join(two, name)));
  const logs = (await readdir(join(one, "ckpool"), { recursive: true })).sort();
  expect(logs).toEqual((await readdir(join(two, "ckpool"), { recursive: true })).sort());
});

test("the share logs hold the same work as the observations", async () => {
  await writeSimulation(simulate(scenario, 9), directory, { ckpool: true });
  let observed = 0;
  for (const batch of simulate(scenario, 9).observations) {
    for (const one of batch)
      if (one.type === "share" && one.algorithm === "sha256d") observed += one.difficulty;
  }
  let logged = 0;
  for (const file of await readdir(join(directory, "ckpool"), { recursive: true })) {
    if (!file.endsWith(".sharelog")) continue;
    expect(file).toMatch(/^[0-9a-f]{8}\/[0-9a-f]{16}\.sharelog$/);
    for (const line of (await readFile(join(directory, "ckpool", file), "utf8")).trimEnd().split("\n"))
      logged += JSON.parse(line).diff;
  }
  expect(observed).toBeGreaterThan(0);
  expect(logged).toBeCloseTo(observed, 3);
});

test("a scenario's mistakes are named, all at once", () => {
  expect(() => readScenario("nowhere")).toThrow(/no scenario "nowhere"; known: week, demo/);
  expect(() => readScenario({ accounts: -1, campaigns: [{ typology: "x", care: "middle" }] })).toThrow(
    /accounts.*campaigns\.0\.typology/,
  );
});
