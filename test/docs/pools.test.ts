import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig, redact } from "../../src/config.ts";

const pages = join(import.meta.dirname, "../../docs/pools");
const SECRETS = /\$\{([A-Z_]+)\}/g;

test.each(readdirSync(pages))("the sample configurations of docs/pools/%s hold", (page) => {
  const text = readFileSync(join(pages, page), "utf8");
  const samples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
  expect(samples.length).toBeGreaterThan(0);
  for (const sample of samples) {
    const config = parseConfig(sample.replace(SECRETS, "a-secret-of-enough-length"));
    for (const kind of Object.keys((parse(sample) as { collectors?: object }).collectors ?? {})) {
      expect(config.collectors).toHaveProperty(kind);
    }
  }
});

test("a printed configuration shows no password of a connection string", () => {
  const config = parseConfig(
    "collectors: {miningcore: [{name: m, url: 'postgres://assay:pa:ss@db/mc', poolId: x, pool: p, algorithm: randomx}], " +
      "nodejsPool: [{name: n, secret: hidden, pool: p}]}",
  );
  const printed = JSON.stringify(redact(config));
  expect(printed).toContain("postgres://assay:(secret)@db/mc");
  expect(printed).not.toContain("hidden");
});

test("two collectors of one name, of whatever kind, are a mistake with its place", () => {
  const sri = (name: string) => `{name: ${name}, url: 'http://127.0.0.1:1', pool: p}`;
  const proxy = (name: string) => `{name: ${name}, url: 'http://127.0.0.1:1', pool: p}`;
  expect(() =>
    parseConfig(`collectors: {sri: [${sri("a")}, ${sri("b")}], xmrigProxy: [${proxy("c")}]}`),
  ).not.toThrow();
  expect(() => parseConfig(`collectors: {sri: [${sri("a")}], xmrigProxy: [${proxy("a")}]}`)).toThrow(
    /name: a is the name of collectors\./,
  );
  expect(() => parseConfig(`collectors: {sri: [${sri("journal")}]}`)).toThrow(
    "journal is the name of Assay itself",
  );
});
