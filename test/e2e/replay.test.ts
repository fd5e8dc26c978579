import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { flag as flagSchema } from "../../src/core/flag.ts";
import { USUAL_THRESHOLD } from "../../src/core/model.ts";
import { assay } from "../support/assay.ts";

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "assay-replay-"));
});
afterAll(() => rmSync(place, { recursive: true }));

test("simulate and replay give the same bytes for the same seed, and other bytes for another", async () => {
  const outputs: string[] = [];
  for (const [name, seed] of [
    ["a", "7"],
    ["b", "7"],
    ["c", "8"],
  ] as const) {
    const out = join(place, name);
    const made = await assay([
      "simulate",
      "--scenario",
      "demo",
      "--seed",
      seed,
      "--accounts",
      "25",
      "--days",
      "2",
      "--out",
      out,
    ]);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toBe("");
    const replayed = await assay([
      "replay",
      join(out, "observations.ndjson"),
      "--as",
      "observations",
      "--scores",
    ]);
    expect(replayed.code, replayed.stderr).toBe(0);
    outputs.push(
      `${readFileSync(join(out, "observations.ndjson"))}${readFileSync(join(out, "truth.ndjson"))}${replayed.stdout}`,
    );
    const lines = replayed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const { flag } of lines.filter((line) => "flag" in line))
      expect(flagSchema.safeParse(flag).success).toBe(true);
    const scores = lines.filter((line) => "score" in line).map(({ score }) => score);
    expect(scores.length).toBeGreaterThan(100);
    for (const { value, window } of scores) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      expect(new Date(window).toISOString()).toBe(window);
    }
  }
  expect(outputs[0] === outputs[1]).toBe(true);
  expect(outputs[0] === outputs[2]).toBe(false);
}, 120_000);

test("bad lines are reported by place and never stop the rest", async () => {
  const good =
    '{"type":"share","at":"2026-01-01T00:00:00Z","pool":"p","algorithm":"sha256d","account":"a","difficulty":2,"outcome":"accepted"}';
  const file = join(place, "mixed.ndjson");
  writeFileSync(
    file,
    [
      good,
      "nonsense",
      good.replace('"difficulty":2', '"difficulty":0'),
      good.replace('"difficulty":2', '"difficulty":-1'),
      good.replace('"difficulty":2', '"difficulty":1e300'),
      good.replace('"difficulty":2', '"difficulty":NaN'),
      good.replace('"account":"a"', `"account":"${"x".repeat(10_000)}"`),
      good.replace('"account":"a"', '"account":"two\\nlines"'),
      good.replace("{", `{"x":"${"y".repeat(200_000)}",`),
      good.replace("2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"),
      good.replace("}", ',"password":"x"}'),
      good.slice(0, 40),
    ].join("\n"),
  );
  const { code, stderr } = await assay(["replay", file, "--as", "observations"]);
  expect(code).toBe(0);
  expect(stderr).toContain("3 observations, 9 refused, 1 unknown fields left out");
  expect(stderr).toContain("3 accepted shares, difficulty 6\n");
  for (const line of [2, 3, 4, 5, 6, 7, 8, 9, 12]) expect(stderr).toContain(`mixed.ndjson:${line}:`);
  expect(stderr).not.toContain("password");
});

test("a typology of one's own is looked for beside the others, and changes no account that does not show it", async () => {
  const out = join(place, "described");
  const made = await assay(
    ["simulate", "--scenario", "demo", "--seed", "19", "--accounts", "40", "--days", "2"].concat(
      "--out",
      out,
    ),
  );
  expect(made.code, made.stderr).toBe(0);
  const config = join(place, "described.yaml");
  const signs = "signs: [{ feature: origin.satellite }, { feature: latency.tcp }]";
  writeFileSync(
    config,
    `detection: { typologies: [{ name: satellite-site, about: mining over a satellite, ${signs} }] }\n`,
  );
  const replay = async (...more: string[]) => {
    const file = join(out, "observations.ndjson");
    const { code, stdout, stderr } = await assay([
      "replay",
      file,
      "--as",
      "observations",
      "--scores",
      ...more,
    ]);
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split("\n");
    return lines.map((line) => JSON.parse(line).score).filter((score) => score !== undefined);
  };
  const [plain, described] = [await replay(), await replay("--config", config)];
  expect(described).toHaveLength(plain.length);
  let [same, raised] = [0, 0];
  const held = new Set<string>();
  for (const [index, { account, value, typologies }] of described.entries()) {
    const { "satellite-site": own, ...others } = typologies;
    // What is flagged is not learned as usual: from then on its features are other ones.
    if (held.has(account)) continue;
    if (own > 0 && value >= USUAL_THRESHOLD) held.add(account);
    expect(others).toEqual(plain[index].typologies);
    expect(value).toBeCloseTo(plain[index].value + own, 6);
    if (own === 0) same += 1;
    else raised += 1;
  }
  expect(raised).toBeGreaterThan(0);
  expect(same / (same + raised)).toBeGreaterThan(0.9);
}, 60_000);
