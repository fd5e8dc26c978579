import { randomUUID } from "node:crypto";
import type { Delivery, OpsStore } from "#core/store.ts";
import { runAll, type Task } from "#core/task.ts";
import type { Destination, Outcome } from "./destination.ts";
import { nextWaitMs } from "./schedule.ts";

/** The part of the operations store deliveries need. */
type Outbox = Pick<OpsStore, "due" | "nextDueMs" | "settle" | "disable" | "disabled" | "onOutbox">;

/** What the outbox worker works with. */
export interface DeliverOptions {
  ops: Outbox;
  destinations: readonly Destination[];
  now: () => number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
  log: (level: "debug" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;
  /** Called after each attempt is settled, for counters. `delayMs` is since the message entered the outbox. */
  onAttempt?: (attempt: {
    destination: string;
    outcome: Outcome["outcome"];
    /** What the message is after it. */
    state: Delivery["state"];
    delayMs: number;
  }) => void;
}

/** Attempts under way at once, per destination. */
const PARALLEL = 8;
/** The outbox is looked at so often though nobody called: `assay alert test` may write to it from outside. */
const LOOK_MS = 60_000;
/** A test in the hands of `sendTest` is left to it for so long. */
const TEST_LEASE_MS = 60_000;

/**
 * Delivers what the outbox holds until aborted: at least once, with the message's id for the receiver to drop doubles
 * by. Each destination has its own line, so a slow one holds up no other. An attempt that an abort cuts short counts
 * as not made. Rejects when the store breaks.
 */
export function deliver(options: DeliverOptions): Task {
  return async (signal) => {
    if (options.destinations.length === 0) return idle(signal);
    await runAll(
      options.destinations.map((destination) => (all) => serve(destination, options, all)),
      signal,
    );
  };
}

const idle = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function serve(destination: Destination, options: DeliverOptions, signal: AbortSignal): Promise<void> {
  const { ops, now, sleep } = options;
  let wake = new AbortController();
  const unsubscribe = ops.onOutbox(() => wake.abort());
  try {
    while (!signal.aborted) {
      // Renewed before looking: what enters the outbox while we look ends the wait below at once.
      wake = new AbortController();
      const due = await ops.due(now(), PARALLEL, destination.name);
      if (due.length > 0 && !(await isDisabled(ops, destination))) {
        await Promise.all(due.map((delivery) => attempt(delivery, destination, options, signal)));
        continue;
      }
      const nextMs = due.length > 0 ? null : await ops.nextDueMs(destination.name);
      const waitMs = nextMs === null ? LOOK_MS : Math.min(Math.max(nextMs - now(), 0), LOOK_MS);
      await sleep(waitMs, AbortSignal.any([signal, wake.signal]));
    }
  } finally {
    unsubscribe();
  }
}

async function isDisabled(ops: Outbox, { name }: Destination): Promise<boolean> {
  return (await ops.disabled()).some(({ destination }) => destination === name);
}

async function attempt(
  delivery: Delivery,
  destination: Destination,
  options: DeliverOptions,
  signal: AbortSignal,
): Promise<void> {
  const { ops, now, random, log, onAttempt } = options;
  const outcome = await destination.send(delivery, signal);
  if (signal.aborted && outcome.outcome !== "delivered") return;
  const settled = settle(delivery, outcome, now(), random());
  await ops.settle(delivery.id, settled);
  if (outcome.outcome === "refused" && outcome.gone) {
    await ops.disable({ destination: destination.name, reason: outcome.reason, sinceMs: now() });
  }
  const { state, attempts, lastError } = settled;
  const fields = { destination: destination.name, id: delivery.id, attempts, reason: lastError };
  if (state === "delivered") log("debug", "delivered", fields);
  else if (state === "dead") log("error", "delivery given up: it is among the dead letters", fields);
  else if (attempts === 1) log("warn", "delivery failed, will be tried again", fields);
  else log("debug", "delivery failed again", fields);
  onAttempt?.({
    destination: destination.name,
    outcome: outcome.outcome,
    state,
    delayMs: now() - delivery.createdMs,
  });
}

/** What a delivery is after an attempt. */
function settle(
  delivery: Delivery,
  outcome: Outcome,
  nowMs: number,
  random: number,
): Pick<Delivery, "state" | "attempts" | "nextMs" | "lastError"> {
  const attempts = delivery.attempts + 1;
  if (outcome.outcome === "delivered")
    return { state: "delivered", attempts, nextMs: nowMs, lastError: null };
  const waitMs = outcome.outcome === "retry" ? nextWaitMs(attempts, random) : null;
  if (waitMs === null) return { state: "dead", attempts, nextMs: nowMs, lastError: outcome.reason };
  const askedMs = outcome.outcome === "retry" ? (outcome.afterMs ?? 0) : 0;
  return { state: "waiting", attempts, nextMs: nowMs + Math.max(waitMs, askedMs), lastError: outcome.reason };
}

/** What a test delivery works with. */
export interface TestOptions {
  ops: Pick<OpsStore, "enqueue" | "settle">;
  destination: Destination;
  now: () => number;
  signal: AbortSignal;
}

/**
 * Sends one marked message through the outbox, one attempt only, and tells what became of it; a running service may
 * share the store.
 */
export async function sendTest({ ops, destination, now, signal }: TestOptions): Promise<Outcome> {
  const createdMs = now();
  const event = "test";
  const message = {
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    destination: destination.name,
    event,
    body: JSON.stringify({
      type: event,
      timestamp: new Date(createdMs).toISOString(),
      data: { test: true, message: "A test from Assay. No flag stands behind it." },
    }),
    createdMs,
  };
  // Both calls leave at once and stay in order, so the outbox worker never sees the message as due.
  await Promise.all([
    ops.enqueue(message),
    ops.settle(message.id, {
      state: "waiting",
      attempts: 0,
      nextMs: createdMs + TEST_LEASE_MS,
      lastError: null,
    }),
  ]);
  const outcome = await destination.send(message, signal);
  const lastError = outcome.outcome === "delivered" ? null : outcome.reason;
  const state = outcome.outcome === "delivered" ? "delivered" : "dead";
  await ops.settle(message.id, { state, attempts: 1, nextMs: now(), lastError });
  return outcome;
}
