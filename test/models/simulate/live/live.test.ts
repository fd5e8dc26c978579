import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { runMiner } from "../../../../models/simulate/live/miner.ts";
import { runPool } from "../../../../models/simulate/live/pool.ts";
import { dial, running, startTap, until } from "../../../collectors/stratum/harness.ts";

/** A pool on a free port. */
async function startPool(options: Parameters<typeof runPool>[0] = {}) {
  const listening = Promise.withResolvers<AddressInfo>();
  const pool = running(runPool({ ...options, onListening: listening.resolve }));
  return { ...pool, port: (await listening.promise).port };
}

test("simulated miners mine through the tap from the addresses they claim", async () => {
  await using pool = await startPool({ difficulty: 1000 });
  await using tap = await startTap(pool.port, {
    proxyProtocol: { accept: true, from: ["127.0.0.1"], emit: "off" },
  });
  const miner = (address: string, worker: string) =>
    running(
      runMiner({
        host: "127.0.0.1",
        port: tap.port,
        source: { address, port: 4000 },
        agent: "cgminer/4.12.1",
        worker,
        roundTripMs: 20,
        // 200 shares a second.
        hashrateHs: () => 200 * 1000 * 2 ** 32,
      }),
    );
  await using _one = miner("203.0.113.5", "one.rig1");
  await using _two = miner("198.51.100.5", "two.rig1");
  await until(() => tap.shares().length > 100, "shares");
  for (const share of tap.shares()) {
    expect(share).toMatchObject({
      outcome: "accepted",
      difficulty: 1000,
      agent: "cgminer/4.12.1",
      ip: share.account === "one" ? "203.0.113.5" : "198.51.100.5",
    });
  }
  const logins = tap.sessions("authorize");
  expect(new Set(logins.map(({ account }) => account))).toEqual(new Set(["one", "two"]));
  for (const { appRttMs } of logins) expect(appRttMs).toBeGreaterThanOrEqual(19);
});

test("shares come as a Poisson process of the given hashrate", async () => {
  await using pool = await startPool({ difficulty: 1 });
  let nowMs = 0;
  let seed = 1;
  // A Lehmer generator, so that the counts are the same on every run.
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const times: number[] = [];
  let answers = 0;
  await using _miner = running(
    runMiner({
      host: "127.0.0.1",
      port: pool.port,
      agent: "test",
      worker: "one.rig",
      hashrateHs: () => 2 ** 32 / 4,
      now: () => nowMs,
      random,
      sleep: async (delayMs, signal) => {
        // The clock of the simulation; real time only passes for the answers.
        while (answers < times.length && !signal.aborted) await new Promise(setImmediate);
        nowMs += delayMs;
        if (delayMs < 1000) times.push(nowMs);
      },
      onAnswer: () => {
        answers += 1;
      },
    }),
  );
  await until(() => answers > 1000, "a thousand shares");
  // One share in 4 s on average; the standard deviation of the mean of 1000 is 3 %.
  const meanMs = times[999]! / 1000;
  expect(meanMs).toBeGreaterThan(3600);
  expect(meanMs).toBeLessThan(4400);
});

test("the pool judges by its stated rule", async () => {
  await using pool = await startPool({ difficulty: 2, jobEveryMs: 1e9 });
  const { socket, received } = await dial(pool.port);
  const messages = () =>
    received()
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const send = (id: number, method: string, params: unknown[]) =>
    socket.write(`${JSON.stringify({ id, method, params })}\n`);
  send(1, "mining.subscribe", []);
  send(2, "mining.authorize", ["one.rig", "x"]);
  await until(() => messages().some(({ method }) => method === "mining.notify"), "a job");
  const job = messages().find(({ method }) => method === "mining.notify").params[0];
  send(3, "mining.submit", ["one.rig", job, "00", "65", "00000001"]);
  send(4, "mining.submit", ["one.rig", job, "00", "65", "00000001"]);
  send(5, "mining.submit", ["one.rig", job, "00", "65", "00000000"]);
  send(6, "mining.submit", ["two.rig", job, "00", "65", "00000002"]);
  send(7, "mining.submit", ["one.rig", "nojob", "00", "65", "00000003"]);
  await until(() => messages().some(({ id }) => id === 7), "the answers");
  const answer = (wanted: number) => messages().find(({ id }) => id === wanted);
  expect(answer(3).result).toBe(true);
  expect([4, 5, 6, 7].map((id) => answer(id).error[0])).toEqual([22, 23, 24, 21]);
  socket.destroy();
});

test("a miner whose pool goes away ends with a reason", async () => {
  const pool = await startPool();
  let answers = 0;
  const miner = running(
    runMiner({
      host: "127.0.0.1",
      port: pool.port,
      agent: "test",
      worker: "one.rig",
      hashrateHs: () => 100 * 2 ** 32,
      onAnswer: () => {
        answers += 1;
      },
    }),
  );
  await until(() => answers > 0, "a share");
  await pool[Symbol.asyncDispose]();
  await expect(miner.ended).rejects.toThrow(/^one\.rig: /);
  const late = runMiner({
    host: "127.0.0.1",
    port: pool.port,
    agent: "test",
    worker: "two.rig",
    hashrateHs: () => 1,
  });
  await expect(late(new AbortController().signal)).rejects.toThrow(/^two\.rig: /);
});
