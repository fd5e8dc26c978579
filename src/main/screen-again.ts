import { setImmediate } from "node:timers/promises";
import type { Log } from "#core/log.ts";
import type { Match, Subject } from "#core/screening.ts";
import { type Holding, type Sighting, type Standing, subjectOf } from "#core/sightings.ts";
import type { OpsStore } from "#core/store.ts";
import type { Task } from "#core/task.ts";
import { type Known, rescreen } from "../screening/rescreen.ts";
import type { Engine } from "./engine.ts";
import type { Parts } from "./parts.ts";

/** What it takes to screen everything known again. */
export interface ScreenAgainOptions {
  parts: Pick<Parts, "analysis" | "origin" | "screening">;
  ops: Pick<OpsStore, "standings" | "lastScreenings" | "recordScreenings" | "ground" | "settleGround">;
  engine: Pick<Engine, "hit">;
  /** Lets a flag say that what it rests on has gone. */
  withdraw: (sighting: Sighting, lost: readonly Match[]) => Promise<void>;
  log: Log;
  now: () => number;
}

/** Something known, and the account that holds it. A value that several hold comes once for each. */
interface Held extends Known {
  /** Absent for regions and names that were asked about: nobody's flag rests on them. */
  holding?: Holding;
}

/**
 * The ground answers stand on is the version of every list, table and database in use, and the day since which the
 * dated rows in force are the same. It is kept with the flags, so that a change is noticed whenever it came: while the
 * service ran, or while it did not. Then everything known is screened again, a new hit is raised at once, and a hit
 * that lost its ground is said. What was acted upon is kept by holder and the ground only at the end, so that a crash
 * in between tells nobody twice and leaves nobody out.
 *
 * The task looks once and ends; calls wait for each other.
 */
export function screenAgain(options: ScreenAgainOptions): Task {
  const { parts, ops, log, now } = options;
  let turn: Promise<void> = Promise.resolve();

  async function look(signal: AbortSignal): Promise<void> {
    const atMs = now();
    const ground = groundOf(parts, atMs);
    const before = await ops.ground();
    if (ground === before) return;
    const known = await everythingKnown(options, atMs);
    const counts = { screened: 0, gained: 0, lost: 0 };
    for (const { screenings, changed } of rescreen(known, (subject, value) =>
      parts.screening.screen(subject, value, atMs),
    )) {
      if (signal.aborted) return;
      counts.screened += screenings.length;
      const standings: Standing[] = [];
      for (const { known, screening, gained, lost } of changed) {
        const { matches } = screening;
        counts.gained += gained.length > 0 ? 1 : 0;
        counts.lost += matches.length === 0 ? 1 : 0;
        if (!known.holding) {
          const { subject, value } = known;
          const on = (some: readonly Match[]) => some.map(({ list, entry }) => `${entry} (${list.name})`);
          // At the very first look nothing has met anything before: that is no news.
          log(before === "" ? "info" : "warn", "what was asked about meets something else now", {
            ...{ subject, value },
            gained: on(gained),
            lost: on(lost),
          });
          continue;
        }
        const { kind, pool, account, value } = known.holding;
        if (gained.length > 0) await options.engine.hit({ ...known.holding, atMs }, matches);
        // What another list still has keeps its ground.
        if (matches.length === 0) {
          log("warn", "a screening hit has lost its ground", { pool, account, value });
          await options.withdraw({ ...known.holding, atMs }, lost);
        }
        standings.push({ kind, pool, account, value, matches });
      }
      await ops.recordScreenings(screenings, standings);
      // Half a million values are a second's work: let others run between the batches.
      await setImmediate();
    }
    await ops.settleGround(ground);
    log("info", "everything known was screened again", counts);
  }

  return (signal) => {
    turn = turn.then(() => look(signal));
    return turn;
  };
}

function groundOf({ origin, screening }: ScreenAgainOptions["parts"], atMs: number): string {
  const changedMs = origin.changedMs(atMs);
  const since = Number.isFinite(changedMs) ? new Date(changedMs).toISOString().slice(0, 10) : "always";
  const versions = [...origin.versions(), ...screening.lists()];
  return JSON.stringify([...versions.map(({ name, version }) => [name, version]), ["dates", since]]);
}

async function everythingKnown(
  { parts: { analysis, origin }, ops }: ScreenAgainOptions,
  atMs: number,
): Promise<Iterable<Held>> {
  const standings = new Map((await ops.standings()).map((standing) => [keyOf(standing), standing]));
  const asked = (
    await Promise.all((["name", "region"] as const).map((subject) => ops.lastScreenings(subject)))
  ).flat();
  const fresh = (holding: Holding): Holding =>
    holding.kind === "source" ? { ...holding, origin: origin.lookUp(holding.value, atMs) } : holding;

  return (function* () {
    const regions = new Set<string>();
    for (const one of analysis.known()) {
      const holding = fresh(one);
      const key = keyOf(holding);
      const stood = standings.get(key)?.matches ?? [];
      standings.delete(key);
      yield { subject: subjectOf(holding), value: holding.value, stood, holding };
      if (holding.origin && holding.origin.country !== "ZZ")
        regions.add(holding.origin.region || holding.origin.country);
    }
    // What the analysis has forgotten since, but flags still rest on.
    for (const { matches: stood, ...one } of standings.values()) {
      const holding = fresh(one);
      yield { subject: subjectOf(holding), value: holding.value, stood, holding };
    }
    for (const { subject, value, matches: stood } of asked) {
      regions.delete(value);
      yield { subject, value, stood };
    }
    for (const value of regions) yield { subject: "region" as Subject, value, stood: [] };
  })();
}

function keyOf({ pool, account, kind, value }: Omit<Holding, "origin">): string {
  return `${pool}\n${account}\n${kind}\n${value}`;
}
