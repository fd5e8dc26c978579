import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { idOf } from "./ckpool-place.ts";

/** Directories changed within this time are looked at in every round, the others once a minute: old heights rest. */
const RECENT_MS = 2 * 3_600_000;
const SWEEP_MS = 60_000;
/** A listing made so soon after a change may have missed a file of the same clock tick, so it is made again. */
const TICK_MS = 2_000;

const DIRECTORY = /^[0-9a-f]{1,16}$/;
const FILE = /^([0-9a-f]{1,16})\.sharelog$/;

interface Directory {
  changedMs: number;
  listedMs: number;
  /** Files not finished when it was listed. */
  pending: string[];
  /** Ids it held then, kept while it is recent: what appears behind the finished ones later is noticed by them. */
  seen: Set<string> | null;
}

/** What a round of listing found. */
export interface Listing {
  /** Unfinished files as "<height>/<workinfoid>", oldest id first. */
  files: string[];
  /** Files that came into being behind the place already reached; they are not read. */
  late: string[];
}

/** Lists `<directory>/<height>/<workinfoid>.sharelog`, looking only where something changed. */
export function createTree(directory: string, now: () => number) {
  const known = new Map<string, Directory>();
  let root = { changedMs: -1, listedMs: 0 };
  let sweptMs = 0;

  async function listRoot(): Promise<void> {
    const changedMs = (await stat(directory)).mtimeMs;
    if (!isStale(root, changedMs)) return;
    root = { changedMs, listedMs: now() };
    const names = new Set((await readdir(directory)).filter((name) => DIRECTORY.test(name)));
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    for (const name of names) {
      if (!known.has(name)) known.set(name, { changedMs: -1, listedMs: 0, pending: [], seen: null });
    }
  }

  async function listOne(name: string, entry: Directory, done: string, late: string[]): Promise<void> {
    try {
      const changedMs = (await stat(join(directory, name))).mtimeMs;
      const isRecent = now() - changedMs < RECENT_MS;
      if (!isRecent) entry.seen = null;
      if (!isStale(entry, changedMs)) return;
      entry.changedMs = changedMs;
      entry.listedMs = now();
      const found = (await readdir(join(directory, name))).flatMap((file) => FILE.exec(file)?.[1] ?? []);
      const { seen } = entry;
      entry.seen = isRecent ? new Set(found) : null;
      entry.pending = found.filter((id) => idOf(id) > done).map((id) => `${name}/${id}`);
      if (seen === null) return;
      for (const id of found) if (idOf(id) <= done && !seen.has(id)) late.push(`${name}/${id}`);
    } catch (cause) {
      // Removed under our hands: the next listing of the root forgets it.
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    }
  }

  return {
    /** Throws when the directory cannot be read. `done` is the highest finished id. */
    async list(done: string): Promise<Listing> {
      await listRoot();
      const late: string[] = [];
      const sweep = now() - sweptMs >= SWEEP_MS;
      if (sweep) sweptMs = now();
      for (const [name, entry] of known) {
        if (sweep || entry.listedMs === 0 || now() - entry.changedMs < RECENT_MS) {
          await listOne(name, entry, done, late);
        }
      }
      const files: string[] = [];
      for (const entry of known.values()) {
        if (entry.pending.length === 0) continue;
        entry.pending = entry.pending.filter((file) => idOf(file) > done);
        files.push(...entry.pending);
      }
      files.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
      return { files, late };
    },
  };

  function isStale(entry: { changedMs: number; listedMs: number }, changedMs: number): boolean {
    return changedMs !== entry.changedMs || entry.listedMs - changedMs < TICK_MS;
  }
}
