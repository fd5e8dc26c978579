import { join } from "node:path";
import type { Task } from "#core/task.ts";
import { type Kept, readBook } from "./history.ts";
import { type ListSource, latestOf, loadKept, type Update, updateKept } from "./kept-list.ts";
import type { WatchList } from "./watch-list.ts";

/** What `createLists` is told. */
export interface ListsOptions {
  /** Where versions are kept, a folder a list. */
  directory: string;
  sources: readonly ListSource[];
  /** A version that lost more than this part of its entries of one subject is refused. */
  maxShrinkPercent: number;
  now: () => number;
}

/** How a list stands. */
export interface ListState {
  name: string;
  version: string;
  publishedAt: string;
  takenAt: string;
  checkedAt: string;
  source: string;
  entries: number;
  /** True when the source was last reached longer ago than the list allows, or never. */
  stale: boolean;
  lastError: string;
}

/** How `schedule` waits and tells. */
interface Schedule {
  everyMs: number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** After every round: what came of each list, and those that have grown stale. */
  onRound: (updates: readonly Update[], stale: readonly ListState[]) => Promise<void>;
}

/** The watch lists on disk, with their versions. */
export interface Lists {
  /** The version in use of every list that has one. Throws a ListError when its content was damaged on disk. */
  load(): Promise<WatchList[]>;
  /** Asks the sources, of all lists or of those named. `accept` takes a version the guard would refuse. */
  update(options?: { names?: readonly string[]; accept?: boolean; signal?: AbortSignal }): Promise<Update[]>;
  status(): Promise<ListState[]>;
  /** The content in use of a list, compressed, under a name that stays; the file may not be there yet. */
  latest(name: string): string;
  /** Versions that were in use, oldest first. */
  history(name: string): Promise<Kept[]>;
  /** Updates at once and then every so often, until aborted. */
  schedule(schedule: Schedule): Task;
}

const DAY_MS = 86_400_000;

/** Keeps watch lists up to date, never letting a worse version replace a good one. */
export function createLists({ directory, sources, maxShrinkPercent, now }: ListsOptions): Lists {
  const folderOf = (name: string) => join(directory, name);
  const never = new AbortController().signal;
  const read = new Map<string, WatchList>();
  const optionsOf = (source: ListSource) => ({
    source,
    folder: folderOf(source.name),
    read,
    maxShrinkPercent,
    now,
  });

  const update: Lists["update"] = async ({ names, accept = false, signal = never } = {}) => {
    const updates: Update[] = [];
    for (const source of sources) {
      if (signal.aborted) break;
      if (names && !names.includes(source.name)) continue;
      updates.push(await updateKept(optionsOf(source), { accept, signal }));
    }
    return updates;
  };

  const status: Lists["status"] = () =>
    Promise.all(
      sources.map(async ({ name, maxAgeDays }) => {
        const { versions, checkedAt, lastError } = await readBook(folderOf(name));
        const {
          version = "",
          publishedAt = "",
          takenAt = "",
          source = "",
          entries = 0,
        } = versions.at(-1) ?? {};
        const stale = checkedAt === "" || now() - Date.parse(checkedAt) > maxAgeDays * DAY_MS;
        return { name, version, publishedAt, takenAt, checkedAt, source, entries, stale, lastError };
      }),
    );

  return {
    async load() {
      const all = sources.map((source) => loadKept(optionsOf(source)));
      return (await Promise.all(all)).filter((list) => list !== null);
    },
    update,
    status,
    latest(name) {
      const source = sources.find((candidate) => candidate.name === name);
      if (source === undefined) throw new Error(`no list is called ${name}`);
      return latestOf(folderOf(name), source);
    },
    history: async (name) => (await readBook(folderOf(name))).versions,
    schedule:
      ({ everyMs, sleep, onRound }) =>
      async (signal) => {
        while (!signal.aborted) {
          const updates = await update({ signal });
          if (signal.aborted) return;
          const states = await status();
          await onRound(
            updates,
            states.filter(({ stale }) => stale),
          );
          await sleep(everyMs, signal);
        }
      },
  };
}
