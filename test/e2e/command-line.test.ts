import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assay, startAssay } from "../support/assay.ts";

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "assay-cli-"));
});
afterAll(() => rmSync(place, { recursive: true }));

test("help fits a screen and shows three examples", async () => {
  const { code, stdout } = await assay(["help"]);
  expect(code).toBe(0);
  expect(stdout.split("\n").length).toBeLessThanOrEqual(30);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(stdout.split("Examples\n")[1]?.split("\n\n")[0]?.split("\n")).toHaveLength(3);
});

test("a command's --help is the same help, and does nothing else", async () => {
  const { stdout: help } = await assay(["help"]);
  for (const args of [["evaluate", "--help"], ["train", "-h"], ["--help"]])
    expect(await assay(args, { cwd: place })).toMatchObject({ code: 0, stdout: help, stderr: "" });
});

test.each([
  [["nonsense"], 'unknown command "nonsense"'],
  [["constructor"], 'unknown command "constructor"'],
  [["replay"], "--as must be one of"],
  [["replay", "x", "--as", "nonsense"], "--as must be one of"],
  [["replay", "--as", "ckpool"], "no FILE given"],
  [
    ["replay", "x", "--as", "ckpool", "--frobnicate"],
    "assay: Unknown option '--frobnicate'; see assay help\n",
  ],
  [["screen"], "no VALUE given"],
  [["tap"], "--config FILE is needed"],
  [["alert"], "alert test"],
])("wrong usage %j exits with 2 and says what is wrong in a line", async (args, said) => {
  const { code, stdout, stderr } = await assay(args, { cwd: place });
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(said);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("a file that is not there is a failure, said without a stack trace", async () => {
  const { code, stderr } = await assay(["replay", join(place, "missing"), "--as", "ckpool"]);
  expect(code).toBe(1);
  expect(stderr).toContain("missing");
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("a wrong configuration lists every mistake at once, with its place", async () => {
  const file = join(place, "wrong.yaml");
  writeFileSync(
    file,
    "http:\n  port: 99999\ncollectors:\n  ckpool:\n    - { name: Bad Name, directory: /x }\nfoo: 1\ndeliver:\n  webhooks:\n    - { name: a, url: nonsense, secrets: ['$" +
      "{ASSAY_NOT_SET}'] }\n",
  );
  const { code, stderr } = await assay(["check", "--config", file]);
  expect(code).toBe(2);
  for (const place of [
    "http.port",
    "collectors.ckpool.0.name",
    "foo",
    "deliver.webhooks.0.url",
    "ASSAY_NOT_SET",
  ]) {
    expect(stderr).toContain(place);
  }
});

test("check --dump prints the whole configuration without secrets", async () => {
  const file = join(place, "secret.yaml");
  writeFileSync(file, "http:\n  tokens: [{ name: ops, token: very-secret-token-1, role: admin }]\n");
  const { code, stdout } = await assay(["check", "--config", file, "--dump"]);
  expect(code).toBe(0);
  expect(stdout).toContain("checkpointSeconds");
  expect(stdout).not.toContain("very-secret");
});

test("check finds a directory, a port and an InfluxDB that cannot be had, and warns of the bundled database", async () => {
  const file = join(place, "check.yaml");
  writeFileSync(
    file,
    `data: { directory: ${place} }\ncollectors:\n  ckpool: [{ name: main, directory: /nowhere/at/all }]\n  tap: [{ listen: { host: 192.0.2.1 }, upstream: { host: 127.0.0.1, port: 1 } }]\nstore: { influx: { url: "http://127.0.0.1:1" } }\n`,
  );
  const { code, stdout, stderr } = await assay(["check", "--config", file]);
  expect(code).toBe(2);
  expect(stderr).toContain("collectors.ckpool main");
  expect(stderr).toContain("collectors.tap tap");
  expect(stderr).toContain("store.influx: InfluxDB http://127.0.0.1:1, assay, retention policy 1m: ");
  expect(stdout).toContain("bundled database");
});

test("a list's file that broke after it was taken into use is found by check, and screening goes on by the last good one", async () => {
  const file = join(place, "lists.yaml");
  const list = join(place, "ours.csv");
  writeFileSync(
    file,
    `data: { directory: ${join(place, "listed")} }\nscreening: { lists: [{ name: ours, file: ours.csv, format: csv }] }\n`,
  );
  writeFileSync(list, "address\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n");
  expect((await assay(["lists", "update", "--config", file])).code).toBe(0);
  writeFileSync(list, 'address\n"1Boat');
  const checked = await assay(["check", "--config", file]);
  expect(checked.code).toBe(2);
  expect(checked.stderr).toContain("screening.lists ours: list ours:");
  expect(checked.stderr).toContain("a quote is never closed");
  const { stdout } = await assay(["screen", "--config", file, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"]);
  expect(JSON.parse(stdout.split("\n")[0] ?? "").matches).toMatchObject([{ list: { name: "ours" } }]);
});

test("screen says what is known, with list versions", async () => {
  const { code, stdout } = await assay(["screen", "175.45.178.1", "bc1qnobody"]);
  expect(code).toBe(0);
  const [network, address] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(network.origin).toMatchObject({ country: "KP", tier: "comprehensive" });
  expect(address.matches).toEqual([]);
  expect(address.lists.length).toBeGreaterThan(0);
});

test("what a signal ends says so and has the shell's status, without a stack trace", async () => {
  const running = startAssay(["train", "--version", "0.0.1", "--out", join(tmpdir(), "assay-never")]);
  await setTimeout(3000);
  expect(await running.end()).toBe(130);
  expect(running.output()).toMatch(/assay: ended before it was done\n$/);
  expect(running.output()).not.toMatch(/ at .*:\d+/);
}, 60_000);
