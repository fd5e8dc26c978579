import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPublicPool } from "../../collectors/pools/public-pool.ts";
import { createPublicPoolRest } from "../../collectors/pools/public-pool-rest.ts";
import { decodeAnswers, readAnswers } from "../../collectors/pools/xmrig-proxy-decode.ts";
import { serveJson } from "../collectors/pools/serve-json.ts";
import { untilIdle } from "../collectors/pools/share-log.ts";

const data = process.env.ASSAY_EXTERNAL_DATA;
const recorded = (name: string) => join(data ?? "", "stratum/recorded", name);
const json = (name: string): unknown => JSON.parse(readFileSync(recorded(name), "utf8"));
const ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const options = { pool: "p", algorithm: "sha256d", pollMs: 1, now: () => Date.parse("2026-11-23T00:00:00Z") };

test.skipIf(!data)(
  "the recorded public-pool database: six accepted shares, .51 together, in two sessions of cpuminer",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "assay-external-"));
    try {
      const file = join(directory, "public-pool.sqlite");
      copyFileSync(recorded("public-pool.sqlite"), file);
      const all = await untilIdle((sleep) => createPublicPool({ ...options, name: "pp", file, sleep }));
      expect(all.refusals).toEqual([]);
      expect(all.shares).toHaveLength(6);
      expect(all.shares.reduce((sum, { difficulty }) => sum + difficulty, 0)).toBeCloseTo(0.51, 12);
      expect(new Set(all.shares.map(({ session }) => session))).toEqual(new Set(["e426cf2b", "d0b8eb65"]));
      expect(
        all.shares.every(
          ({ account, worker, agent }) => `${account} ${worker} ${agent}` === `${ADDRESS} rigPP cpuminer`,
        ),
      ).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

test.skipIf(!data)(
  "the recorded public-pool answers: the chart's hashrate is the database's .4",
  async () => {
    const server = await serveJson(({ pathname }) => {
      if (pathname === `/api/client/${ADDRESS}`) return json("public-pool-api-client_ADDR.json");
      if (pathname === `/api/client/${ADDRESS}/rigPP`) return json("public-pool-api-client_ADDR_rigPP.json");
      return undefined;
    });
    try {
      const rest = { ...options, name: "pp", url: server.url, addresses: [ADDRESS] };
      const all = await untilIdle((sleep) => createPublicPoolRest({ ...rest, sleep }));
      expect(all.shares).toHaveLength(1);
      expect(all.shares[0]!.difficulty).toBeCloseTo(0.4, 9);
    } finally {
      await server.stop();
    }
  },
);

test.skipIf(!data)("the recorded xmrig-proxy answers: the worker's 50 shares are its 20,000 hashes", () => {
  const [summary, workers, miners] = ["summary", "workers", "miners"].map((name) =>
    json(`xmrig-proxy-1-${name}.json`),
  );
  const answers = readAnswers({ summary, workers, miners });
  const context = { pool: "p", algorithm: "randomx", nowMs: Date.parse("2026-11-22T22:30:00Z") };
  const before = { atMs: context.nowMs - 1_902_000, uptime: 0, starts: 0, workers: {}, miners: {} };
  const { observations, refusals } = decodeAnswers(context, before, answers).batch;
  expect(refusals).toEqual([]);
  expect(observations).toHaveLength(50);
  expect(observations.reduce((sum, share) => sum + (share as { difficulty: number }).difficulty, 0)).toBe(
    20_000,
  );
  expect(observations[0]).toMatchObject({ type: "share", account: "rigA", ip: "127.0.0.1" });
  // No share lies behind the last one the proxy saw.
  expect(Math.max(...observations.map(({ atMs }) => atMs))).toBeLessThanOrEqual(1_795_385_526_727);
});
