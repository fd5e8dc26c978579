import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Analysis } from "#core/analysis.ts";
import type { Log } from "#core/log.ts";
import type { Match, Screening } from "#core/screening.ts";
import type { Holding, Sighting } from "#core/sightings.ts";
import type { Task } from "#core/task.ts";
import { parseConfig, readConfig } from "../config.ts";
import { describeState, describeUpdate } from "../screening/ask.ts";
import { refresh } from "../screening/refresh.ts";
import { type Known, rescreen } from "../screening/rescreen.ts";
import type { Engine } from "./engine.ts";
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
  if (known.length === 0) process.stdout.write("no list is configured (screening.lists, origin.lists)\n");
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

/** Something known, and the account that holds it. A value that several hold comes once for each. */
interface Held extends Known {
  /** Absent for a region: whoever mines there is met through the network of the source. */
  holding?: Holding;
}

function* everythingKnown(analysis: Analysis): Generator<Held> {
  const regions = new Set<string>();
  for (const holding of analysis.known()) {
    const { kind, value, origin } = holding;
    yield { subject: kind === "source" ? "network" : "address", value, holding };
    if (origin && origin.country !== "ZZ") regions.add(origin.region || origin.country);
  }
  for (const value of regions) yield { subject: "region", value };
}

/**
 * Keeps the lists up to date, and screens everything known again when one changed: what is recorded says by which
 * versions, a new hit is raised at once, and a hit that lost its ground is said.
 */
export function keepLists(options: {
  parts: Parts;
  engine: Engine;
  log: Log;
  everyMs: number;
  record: (screenings: Screening[]) => Promise<void>;
  onGroundGone: (sighting: Sighting, lost: readonly Match[]) => Promise<void>;
}): Task {
  const { parts, engine, log, everyMs, record, onGroundGone } = options;
  const { analysis, screening, lists: watch } = parts;
  return watch.schedule({
    everyMs,
    sleep,
    onRound: async (updates, stale) => {
      for (const update of updates) {
        if (update.outcome !== "unchanged")
          log(update.outcome === "updated" ? "info" : "error", describeUpdate(update));
      }
      for (const state of stale) log("error", describeState(state));
      const before = await refresh(screening, watch);
      if (!before) return;
      const atMs = Date.now();
      const rounds = rescreen(
        everythingKnown(analysis),
        (subject, value) => before(subject, value, atMs),
        (subject, value) => screening.screen(subject, value, atMs),
      );
      for (const { screenings, changed } of rounds) {
        await record(screenings);
        for (const { known, screening: answer, gained, lost } of changed) {
          if (!known.holding) continue;
          if (gained.length > 0) await engine.sight({ ...known.holding, atMs });
          // What another list still has keeps its ground.
          if (answer.matches.length === 0) await onGroundGone({ ...known.holding, atMs }, lost);
        }
        // Half a million values are a second's work: let others run between the batches.
        await setImmediate();
      }
    },
  });
}
