import { join } from "node:path";
import type { Task } from "#core/task.ts";
import { type Kept, readBook } from "./history.ts";
import { type Content, type Kind, latestOf, loadKept, type Source, type Update, updateKept } from "./kept.ts";

/** What `createLists` is told. */
export interface ListsOptions<S extends Source, C extends Content> {
  /** Where versions are kept, a folder a list. */
  directory: string;
  kind: Kind<S, C>;
  sources: readonly S[];
  /** A version that lost more than this part of what it holds is refused. */
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
  /** What `entries` counts. */
  unit: string;
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

/** Lists (or databases) on disk, with their versions. */
export interface Lists<C extends Content = Content> {
  /** The version in use of every list that has one. Throws when its content was damaged on disk. */
  load(): Promise<C[]>;
  /** Asks the sources, of all lists or of those named. `accept` takes a version the guard would refuse. */
  update(options?: { names?: readonly string[]; accept?: boolean; signal?: AbortSignal }): Promise<Update[]>;
  status(): Promise<ListState[]>;
  /** The content in use of a list, as it is kept, under a name that stays; the file may not be there yet. */
  latest(name: string): string;
  /** Versions that were in use, oldest first. */
  history(name: string): Promise<Kept[]>;
  /** Updates at once and then every so often, until aborted. */
  schedule(schedule: Schedule): Task;
}

const DAY_MS = 86_400_000;

/** Keeps lists of one kind up to date, never letting a worse version replace a good one. */
export function createLists<S extends Source, C extends Content>({
  directory,
  kind,
  sources,
  maxShrinkPercent,
  now,
}: ListsOptions<S, C>): Lists<C> {
  const folderOf = (name: string) => join(directory, name);
  const never = new AbortController().signal;
  const read = new Map<string, C>();
  const optionsOf = (source: S) => ({
    source,
    kind,
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
        const { unit } = kind;
        return { name, version, publishedAt, takenAt, checkedAt, source, entries, unit, stale, lastError };
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
      return latestOf({ folder: folderOf(name), kind, source });
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
