import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { deliver, sendTest } from "../../src/deliver/deliver.ts";
import type { Destination, Outcome } from "../../src/deliver/destination.ts";
import { webhook } from "../../src/deliver/webhook.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { aFlag, EVIDENCE } from "../store/flags.ts";
import { ok, receiver } from "./receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const START = Date.UTC(2026, 0, 10);

/** A clock that stands until the worker sleeps, and then jumps to where the sleep would have ended. */
function clock() {
  let nowMs = START;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    sleep: async (delayMs: number, signal: AbortSignal) => {
      await timer(1, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      slept.push(delayMs);
      nowMs += delayMs;
    },
  };
}

async function workplace(destinations: readonly Destination[], time = clock()) {
  const directory = mkdtempSync(join(tmpdir(), "assay-deliver-"));
  const file = join(directory, "ops.db");
  const ops = await openOps({ file, now: time.now });
  const ending = new AbortController();
  const logged: string[] = [];
  let settled = 0;
  let waiting: () => void = () => {};
  const options = { ...time, ops, destinations, random: () => 0.5 };
  const log = (level: string, message: string) => void logged.push(`${level}: ${message}`);
  const states: string[] = [];
  const onAttempt = ({ state }: { state: string }) => {
    states.push(state);
    settled += 1;
    waiting();
  };
  const running = deliver({ ...options, log, onAttempt })(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
    await ops.close();
    rmSync(directory, { recursive: true });
  });
  return {
    ops,
    file,
    logged,
    ending,
    running,
    states,
    async attempts(count: number) {
      while (settled < count) {
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
    },
  };
}

const hook = (url: string, name = "x", now?: () => number) =>
  webhook({ name, url, secrets: [SECRET], allowPrivate: true, ...(now && { now }) });

test("what is raised arrives, signed so that the library's own verify takes it", async () => {
  const server = await receiver(ok);
  const { ops, attempts } = await workplace([hook(server.url)]);
  await ops.raise(aFlag(), EVIDENCE, ["x"]);
  await attempts(1);
  const { body, headers } = server.received[0]!;
  const verified = new Webhook(SECRET).verify(body, headers as Record<string, string>);
  expect(verified).toEqual({ type: "flag.opened", timestamp: aFlag().updatedAt, data: aFlag() });
  expect((await ops.deliveries({})).map(({ state, attempts }) => [state, attempts])).toEqual([
    ["delivered", 1],
  ]);
});

test("a failing receiver is tried by the schedule, with one id, until the letter is dead; then it can be sent again", async () => {
  const server = await receiver((response, count) =>
    count > 8 ? ok(response) : response.writeHead(500).end("no"),
  );
  const time = clock();
  const { ops, attempts, logged, states } = await workplace([hook(server.url)], time);
  await ops.raise(aFlag(), EVIDENCE, ["x"]);
  await attempts(8);
  expect(states).toEqual([...Array(7).fill("waiting"), "dead"]);
  const [dead] = await ops.deliveries({ state: "dead" });
  expect(dead).toMatchObject({ attempts: 8, lastError: "HTTP 500: no" });
  expect(time.now() - START).toBeGreaterThanOrEqual(5_000 + 60_000 * (5 + 30 + 120 + 300 + 600 + 600));
  expect(logged.filter((line) => !line.startsWith("debug"))).toEqual([
    "warn: delivery failed, will be tried again",
    "error: delivery given up: it is among the dead letters",
  ]);
  expect(await ops.resend(dead!.id, time.now())).toBe(true);
  await attempts(9);
  expect(new Set(server.received.map(({ id }) => id))).toEqual(new Set([dead!.id]));
  expect(await ops.deliveries({ state: "delivered" })).toHaveLength(1);
});

test("410 disables the destination until it is enabled", async () => {
  const server = await receiver((response, count) =>
    count > 1 ? ok(response) : response.writeHead(410).end(),
  );
  const { ops, attempts } = await workplace([hook(server.url)]);
  await ops.raise(aFlag(), EVIDENCE, ["x"]);
  await attempts(1);
  await expect.poll(() => ops.disabled()).toMatchObject([{ destination: "x", reason: "HTTP 410" }]);
  await ops.raise(aFlag({ id: "b", account: "b" }), EVIDENCE, ["x"]);
  const dead = await ops.deliveries({ state: "dead" });
  expect(dead).toHaveLength(2);
  await ops.resend(dead[0]!.id, START);
  await ops.enable("x");
  await attempts(2);
  expect(server.received).toHaveLength(2);
});

test("a slow destination holds up no other", async () => {
  const silent = await receiver(() => {});
  const quick = await receiver(ok);
  const { ops } = await workplace([hook(silent.url, "silent"), hook(quick.url, "quick")]);
  for (let index = 0; index < 30; index += 1) {
    await ops.raise(aFlag({ id: `f${index}`, account: `a${index}` }), EVIDENCE, ["silent", "quick"]);
  }
  await quick.until(30);
  expect(silent.received.length).toBeLessThanOrEqual(8);
});

test("an abort in mid-attempt leaves the message waiting as if it had not been tried", async () => {
  const silent = await receiver(() => {});
  const { ops, ending, running } = await workplace([hook(silent.url)]);
  await ops.raise(aFlag(), EVIDENCE, ["x"]);
  await silent.until(1);
  ending.abort();
  await running;
  expect((await ops.deliveries({})).map(({ state, attempts }) => [state, attempts])).toEqual([
    ["waiting", 0],
  ]);
});

test("without destinations the worker just waits for its end", async () => {
  const { ending, running } = await workplace([]);
  ending.abort();
  await running;
});

test("a broken store ends the worker with its reason", async () => {
  const time = clock();
  const ops = {
    due: () => Promise.reject(new Error("ops store: disk I/O error")),
    onOutbox: () => () => {},
    nextDueMs: async () => null,
    settle: async () => {},
    disable: async () => {},
    disabled: async () => [],
  };
  const destination: Destination = {
    name: "x",
    send: async (): Promise<Outcome> => ({ outcome: "delivered" }),
  };
  const options = { ...time, ops, destinations: [destination], random: () => 0, log: () => {} };
  await expect(deliver(options)(new AbortController().signal)).rejects.toThrow("disk I/O error");
});

test("a test delivery is marked, goes out once beside a running worker, and tells its outcome", async () => {
  const server = await receiver((response, count) =>
    count === 1 ? ok(response) : response.writeHead(503).end(),
  );
  const destination = hook(server.url);
  const { ops } = await workplace([destination], {
    ...clock(),
    sleep: (delayMs, signal) => timer(delayMs, undefined, { signal }).catch(() => {}),
  });
  const { signal } = new AbortController();
  const test = () => sendTest({ ops, destination, now: () => START, signal });
  expect([await test(), await test()]).toEqual([
    { outcome: "delivered" },
    { outcome: "retry", reason: "HTTP 503" },
  ]);
  expect(server.received).toHaveLength(2);
  expect(JSON.parse(server.received[0]!.body)).toMatchObject({ type: "test", data: { test: true } });
  expect((await ops.deliveries({})).map(({ event, state }) => [event, state])).toEqual([
    ["test", "dead"],
    ["test", "delivered"],
  ]);
});

test("SIGKILL between send and settle: delivered again, under the same id", async () => {
  let killed = () => {};
  const server = await receiver((response, count) => (count === 1 ? killed() : ok(response)));
  const { ops, file, ending, running } = await workplace([]);
  await ops.raise(aFlag(), EVIDENCE, ["x"]);
  ending.abort();
  await running;
  const start = () =>
    fork(new URL("./deliver-forever.ts", import.meta.url), [file, server.url], { execArgv: [] });
  const first = start();
  killed = () => void first.kill("SIGKILL");
  await once(first, "exit");
  const second = start();
  onTestFinished(() => void second.kill("SIGKILL"));
  await server.until(2);
  expect(server.received[1]?.id).toBe(server.received[0]?.id);
  await expect.poll(async () => (await ops.deliveries({ state: "delivered" })).length).toBe(1);
});
