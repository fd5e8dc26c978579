import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { sourceChecks } from "../../src/main/check-pools.ts";
import { shareLine } from "../collectors/pools/share-log.ts";

test("every source that is asked is looked at, by its kind and name", async () => {
  const directory = mkdtempSync(join(tmpdir(), "assay-check-"));
  try {
    mkdirSync(join(directory, "70"));
    writeFileSync(join(directory, "70", "1.sharelog"), shareLine());
    const web = "url: 'http://127.0.0.1:9', pool: p";
    const config = parseConfig(`
collectors:
  ckpool: [{ name: a, directory: ${directory} }]
  miningcore: [{ name: b, url: "postgres://a@127.0.0.1:9/b", poolId: x, pool: p, algorithm: randomx }]
  miningcoreRelay: [{ name: i, url: "tcp://127.0.0.1:9", poolId: x, pool: p, algorithm: randomx }]
  redisShares: [{ name: c, url: "redis://127.0.0.1:9", key: k, dialect: nomp, pool: p, algorithm: scrypt }]
  xmrigProxy: [{ name: d, ${web} }]
  publicPool: [{ name: e, file: ${join(directory, "none")} }]
  publicPoolRest: [{ name: f, ${web}, addresses: [bc1] }]
  sri: [{ name: g, ${web} }]
  websocket: [{ name: h, url: "ws://127.0.0.1:9" }]
`);
    const checks = sourceChecks(config);
    const kinds = ["ckpool a", "miningcore b", "miningcoreRelay i", "redisShares c", "xmrigProxy d"];
    const more = ["publicPool e", "publicPoolRest f", "sri g", "websocket h"];
    expect(checks.map(({ place }) => place)).toEqual([...kinds, ...more].map((kind) => `collectors.${kind}`));
    const { signal } = new AbortController();
    const [ckpool, ...away] = await Promise.allSettled(checks.map(({ look }) => look(signal)));
    expect(ckpool).toMatchObject({ status: "fulfilled", value: expect.stringMatching(/^1 share logs/) });
    for (const outcome of away) expect(outcome.status).toBe("rejected");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
