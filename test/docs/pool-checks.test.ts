import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { check } from "../../src/main/check.ts";
import { hasPostgres } from "../collectors/pools/postgres.ts";
import { hasRedis } from "../collectors/pools/redis.ts";
import { hasZmq } from "../collectors/pools/zmq-publisher.ts";
import * as sources from "./pool-sources.ts";

const PAGES = join(import.meta.dirname, "../../docs/pools");
const isRequired = process.env.ASSAY_REQUIRE_SERVICES === "1";

/** What stands in a page's samples, and what stands there when its source runs here. */
type Replacements = Record<string, string>;

interface Sample {
  start: (directory: string, page: string) => Promise<{ replace: Replacements; stop?: () => unknown }>;
  /** What `assay check` says of the source. */
  says: RegExp;
  has?: boolean;
}

/** A configuration that listens: all that can be checked is whether it may. */
const listening = (places: Replacements): Sample => ({
  start: async () => {
    const replace: Replacements = {};
    for (const [text, by] of Object.entries(places)) replace[text] = by.replace("PORT", await freePort());
    return { replace };
  },
  says: /^/,
});
const TAP = listening({ "- upstream:": "- listen: { host: 127.0.0.1, port: PORT }\n      upstream:" });

/** One entry a sample of each page, in its order. */
const SAMPLES: Record<string, Sample[]> = {
  "ckpool.md": [{ start: sources.ckpool, says: /collectors\.ckpool main: 1 share logs/ }],
  "miningcore.md": [
    { start: sources.miningcore, says: /collectors\.miningcore monero: .*2026-11-22/, has: hasPostgres },
    { start: sources.miningcoreRelay, says: /collectors\.miningcoreRelay monero-relay: /, has: hasZmq },
  ],
  "ndjson.md": [
    { start: async () => ({ replace: {} }), says: /^/ },
    { start: sources.webSocket, says: /collectors\.websocket feed: / },
  ],
  "nodejs-pool.md": [listening({ "port: 8001": "port: PORT" }), TAP],
  "nomp.md": [
    { start: sources.nomp, says: /collectors\.redisShares litecoin: 1 shares/, has: hasRedis },
    TAP,
  ],
  "public-pool.md": [
    { start: sources.publicPool, says: /collectors\.publicPool solo: .*2026-11-22/ },
    { start: sources.publicPoolRest, says: /collectors\.publicPoolRest solo-watch: .*bc1qw5.*: 2 workers/ },
    TAP,
  ],
  "sri.md": [{ start: sources.sri, says: /collectors\.sri translator: .*up 100 s, 1 channels, 1 / }],
  "xmrig-proxy.md": [
    { start: sources.xmrigProxy, says: /collectors\.xmrigProxy proxy: xmrig-proxy 6\.26\.0, 1 / },
  ],
};

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return String(port);
}

const samplesOf = (page: string) => [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-samples-"));
  for (const name of ["MININGCORE_PASSWORD", "XMRIG_PROXY_TOKEN", "NODEJS_POOL_AUTHKEY", "FEED_TOKEN"]) {
    vi.stubEnv(name, sources.SECRET);
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** Runs `assay check` on a configuration; gives what it prints, throws what it refuses. */
async function assayCheck(config: string): Promise<string> {
  const file = join(mkdtempSync(join(directory, "run-")), "assay.yaml");
  writeFileSync(file, config);
  let printed = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  try {
    await check(["--config", file]);
  } finally {
    write.mockRestore();
  }
  return printed;
}

test("every page is here", () => {
  expect(readdirSync(PAGES).sort()).toEqual(Object.keys(SAMPLES).sort());
});

describe.each(Object.entries(SAMPLES))("docs/pools/%s", (name, samples) => {
  const page = readFileSync(join(PAGES, name), "utf8");
  const texts = samplesOf(page);

  test("has as many samples as are tried", () => {
    expect(texts).toHaveLength(samples.length);
  });

  samples.forEach(({ start, says, has = true }, index) => {
    test.skipIf(!has && !isRequired)(`sample ${index + 1} is checked against its source`, async () => {
      const home = join(directory, `${name}-${index}`);
      mkdirSync(home);
      const { replace, stop } = await start(home, page);
      let config = texts[index]!;
      try {
        for (const [text, by] of Object.entries(replace)) {
          expect(config).toContain(text);
          config = config.replaceAll(text, by);
        }
        const printed = await assayCheck(config);
        expect(printed).toMatch(says);
        expect(printed).toMatch(/assay\.yaml: good\n$/);
      } finally {
        await stop?.();
      }
      // It is the source that was asked: once that is gone, the same sample is refused.
      if (stop) await expect(assayCheck(config)).rejects.toThrow(/collectors\.\w+ [\w-]+: /);
    });
  });
});
