import { parseArgs } from "node:util";
import type { Log } from "#core/log.ts";
import { DAY_MS } from "#core/metrics.ts";
import type { Task } from "#core/task.ts";
import { parseConfig, readConfig } from "../config.ts";
import { describeState, describeUpdate } from "../screening/ask.ts";
import type { Update } from "../screening/kept.ts";
import type { ListState, Lists } from "../screening/lists.ts";
import { refresh } from "../screening/refresh.ts";
import { openLists, type Parts } from "./parts.ts";
import { sleep } from "./sleep.ts";
import { UsageError } from "./usage.ts";

/** `assay lists update [NAME…] | status`: fetches and versions the watch lists, or says how they stand. */
export async function lists(args: string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: "string" }, accept: { type: "boolean", default: false } },
  });
  const [action, ...names] = positionals;
  if (action !== "update" && action !== "status")
    throw new UsageError("lists: `lists update [NAME…]` or `lists status`");
  const config = values.config === undefined ? parseConfig("") : readConfig(values.config);
  const opened = Object.values(openLists(config));
  const known = [...config.screening.lists, ...config.origin.lists].map(({ name }) => name);
  known.push(...config.origin.databases.map(({ role }) => role));
  if (known.length === 0)
    process.stdout.write("no list is configured (screening.lists, origin.lists, origin.databases)\n");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`lists: not configured: ${unknown.join(", ")}`);
  const failed: string[] = [];
  for (const one of opened) {
    if (action === "status") {
      for (const state of await one.status()) process.stdout.write(`${describeState(state)}\n`);
      continue;
    }
    const updates = await one.update({
      ...(names.length > 0 ? { names } : {}),
      accept: values.accept,
      signal,
    });
    for (const update of updates) {
      process.stdout.write(`${describeUpdate(update)}\n`);
      if (update.outcome !== "updated" && update.outcome !== "unchanged") failed.push(update.name);
    }
  }
  if (failed.length > 0) throw new Error(`not updated: ${failed.join(", ")}`);
}

/**
 * Keeps the watch lists up to date and takes new versions into use; `onRound` follows every round, whether something
 * changed or not.
 */
export function keepLists(options: {
  parts: Pick<Parts, "screening" | "lists">;
  log: Log;
  everyMs: number;
  onRound: Task;
}): Task {
  const { parts, log, everyMs, onRound } = options;
  return (signal) =>
    parts.lists.schedule({
      everyMs,
      sleep,
      onRound: async (updates, stale) => {
        tell(log, updates, stale);
        await refresh(parts.screening, parts.lists);
        await onRound(signal);
      },
    })(signal);
}

/** Keeps what the origin reads up to date; it takes new files into use by itself. */
export function keepFetched(lists: Lists, log: Log): Task {
  return lists.schedule({
    everyMs: DAY_MS,
    sleep,
    onRound: async (updates, stale) => tell(log, updates, stale),
  });
}

/** What came of a round: a list that was refused or not reached, or has grown stale, is told loudly. */
function tell(log: Log, updates: readonly Update[], stale: readonly ListState[]): void {
  for (const update of updates) {
    if (update.outcome !== "unchanged")
      log(update.outcome === "updated" ? "info" : "error", describeUpdate(update));
  }
  for (const state of stale) log("error", describeState(state));
}
