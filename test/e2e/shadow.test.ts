import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { modelAnswer } from "../../src/review/model-answers.ts";
import { assay, freePort, type Running, startAssay, until } from "../support/assay.ts";
import { biasedModel, shippedModel } from "../support/models.ts";

let place: string;
let running: Running | undefined;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "assay-shadow-"));
});
afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
  await rm(place, { recursive: true });
});

async function configure(port: number): Promise<string> {
  const config = join(place, "assay.yaml");
  await writeFile(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
store: { checkpointSeconds: 0.2 }
detection: { threshold: 0.05, model: ${await shippedModel()}, shadow: shadow }
`,
  );
  return config;
}

test("a second model is scored beside the first: it raises nothing, and its differences are kept and shown", async () => {
  // Its logits are higher by three: it must flag all that the active one flags, and more.
  await biasedModel(join(place, "shadow"), "9.0.0", 3);
  const simulated = join(place, "simulated");
  const scenario = join(place, "scenario.json");
  const campaigns = ["blatant", "blatant", "middle"].map((care) => ({
    typology: "relay",
    care,
    machines: 12,
  }));
  await writeFile(
    scenario,
    JSON.stringify({
      startMs: Date.now() - 3 * 86_400_000,
      accounts: 60,
      days: 3,
      vardiffSeconds: 300,
      siteSharesPerHour: 30,
      maxMachines: 40,
      campaigns,
    }),
  );
  const made = await assay([
    "simulate",
    "--scenario",
    scenario,
    "--seed",
    "4",
    "--accounts",
    "60",
    "--days",
    "3",
    "--out",
    simulated,
  ]);
  expect(made.code, made.stderr).toBe(0);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = await configure(port);
  running = startAssay(["run", "--config", config]);
  const up = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  await until(up);
  const sent = await fetch(`${url}/api/v1/observations`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: await readFile(join(simulated, "observations.ndjson")),
  });
  expect(sent.ok).toBe(true);
  const { accepted } = (await sent.json()) as { accepted: number };
  const metric = async (name: RegExp) => Number(name.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  await until(async () =>
    (await metric(/^assay_observations_total\{collector="journal"\} (\d+)/m)) >= accepted ? true : undefined,
  );
  const ask = async () => modelAnswer.parse(await (await fetch(`${url}/api/v1/model`)).json());
  const compared = await until(async () => {
    const { shadow } = await ask();
    return shadow && shadow.pools.length === 4 && shadow.pools.every(({ accounts }) => accounts > 3)
      ? shadow
      : undefined;
  });
  expect(compared).toMatchObject({ name: "consistency", version: "9.0.0", failures: 0 });
  for (const pool of compared.pools) {
    // The same ranking, shifted.
    expect(pool.rankCorrelation).toBeGreaterThan(0.999);
    expect(pool.onlyActive).toBe(0);
    for (const { active, shadow } of pool.differing) {
      expect(active).toBeLessThan(0.05);
      expect(shadow).toBeGreaterThanOrEqual(0.05);
    }
  }
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(text).toMatch(/assay_shadow\{pool="[^"]+",figure="accounts"\} [1-9]/);
  expect(text).toMatch(/^assay_shadow_failures 0$/m);
  expect(text).toMatch(/^# HELP assay_model_drift /m);

  const flags = (await (await fetch(`${url}/api/v1/flags?kind=anomaly&limit=500`)).json()) as {
    flags: { model: { version: string } }[];
  };
  expect(flags.flags.map(({ model }) => model.version)).not.toContain("9.0.0");

  const scored = await metric(/^assay_windows_scored (\d+)/m);
  expect(scored).toBeGreaterThan(200);
  // What is kept outlives the service, and so does the standing.
  const before = (await ask()).pools;
  expect(await running.end()).toBe(0);
  running = startAssay(["run", "--config", config]);
  await until(up);
  expect((await ask()).pools.map(({ pool }) => pool).sort()).toEqual(before.map(({ pool }) => pool).sort());
  const [from, to] = ["2020-01-01T00:00:00Z", new Date(Date.now() + 86_400_000).toISOString()];
  const kept = (await (
    await fetch(`${url}/api/v1/metrics/query?measurement=shadow&by=model&level=1h&from=${from}&to=${to}`)
  ).json()) as { fields: string[]; rows: { tags: string[]; values: number[] }[] };
  expect(kept.fields).toEqual(["accounts", "both", "onlyActive", "onlyShadow", "rankCorrelation"]);
  expect(kept.rows.every(({ tags }) => tags[0] === "consistency 9.0.0")).toBe(true);
  const sum = (at: number) => kept.rows.reduce((total, { values }) => total + values[at]!, 0);
  expect(sum(0)).toBeGreaterThanOrEqual(scored);
  expect(sum(2)).toBe(0);
  expect(sum(3)).toBeGreaterThan(0);
  expect(await running.end()).toBe(0);
}, 120_000);

test("a shadow whose files do not match its manifest is refused at start, and by check, with the reason", async () => {
  await biasedModel(join(place, "shadow"), "9.0.0", 1);
  await writeFile(join(place, "shadow", "scaler.json"), "{}");
  const config = await configure(await freePort());
  const run = await assay(["run", "--config", config]);
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/shadow: scaler\.json is not the file its manifest names \(SHA-256 differs\)/);
  expect(run.stderr).not.toMatch(/\n\s+at /);
  const check = await assay(["check", "--config", config]);
  expect(check.code).toBe(2);
  expect(check.stderr).toMatch(/detection\.shadow: .*scaler\.json is not the file/);
});
