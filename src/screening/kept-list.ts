import { link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "#core/screening.ts";
import { difference, refusal } from "./difference.ts";
import type { Format } from "./formats.ts";
import { type Book, type Kept, readBook, writeBook } from "./history.ts";
import { ListError } from "./list-error.ts";
import { obtain } from "./obtain.ts";
import { readListFile } from "./read-file.ts";
import type { WatchList } from "./watch-list.ts";

/** A watch list and where it comes from: a server, or a file (an offline copy, or the operator's own). */
export interface ListSource {
  name: string;
  url?: string | undefined;
  /** Absolute path. */
  file?: string | undefined;
  format: Format | "xml";
  subject?: Subject | undefined;
  /** Days without a check that reached the source after which the list counts as stale. */
  maxAgeDays: number;
}

/** What came of one update. With `refused` and `unreachable` the last good version stays in use. */
export interface Update {
  name: string;
  outcome: "updated" | "unchanged" | "refused" | "unreachable";
  /** Why, for the last two. */
  reason: string;
  /** The version in use now; "" when there never was one. */
  version: string;
  added: number;
  removed: number;
}

/** One list's folder, and the rules for what may replace what is in it. */
export interface KeptListOptions {
  source: ListSource;
  folder: string;
  /** Lists already read, by name: a large one takes seconds. */
  read: Map<string, WatchList>;
  /** A version that lost more than this part of its entries of one subject is refused. */
  maxShrinkPercent: number;
  now: () => number;
}

/** Raw contents kept of each list; of older versions the history alone. */
const CONTENTS_KEPT = 30;

/** The version in use, or null when there is none yet. Throws a ListError when it was damaged on disk. */
export async function loadKept({ source, folder, read }: KeptListOptions): Promise<WatchList | null> {
  const last = (await readBook(folder)).versions.at(-1);
  if (last === undefined) return null;
  const known = read.get(source.name);
  if (known?.hash === last.hash) return known;
  const list = await readListFile({
    ...source,
    file: contentOf(folder, source, last.hash),
    source: last.source,
  });
  read.set(source.name, list);
  return list;
}

/** Asks the source and takes what it gives into use, unless a guard says no; `accept` takes it in any case that parses. */
export async function updateKept(
  options: KeptListOptions,
  { accept, signal }: { accept: boolean; signal: AbortSignal },
): Promise<Update> {
  const { source, folder, maxShrinkPercent, now } = options;
  const { name } = source;
  await mkdir(folder, { recursive: true });
  const book = await readBook(folder);
  const last = book.versions.at(-1);
  const none = { name, version: last?.version ?? "", added: 0, removed: 0 };
  const checkedAt = new Date(now()).toISOString();
  const fail = async (outcome: "refused" | "unreachable", reason: string): Promise<Update> => {
    // What the server said of a refused version is not kept: it must be offered again.
    await writeBook(folder, { ...book, lastError: reason });
    return { ...none, outcome, reason };
  };
  // Another process may be updating the same list.
  const incoming = join(folder, `incoming-${process.pid}.${source.format}.gz`);
  try {
    const obtained = await obtain({ ...book, url: source.url, file: source.file }, incoming, signal);
    if (obtained.outcome === "unreachable") return await fail("unreachable", obtained.reason);
    if (obtained.outcome === "unchanged" || obtained.hash === last?.hash) {
      await writeBook(folder, { ...book, checkedAt, lastError: "" });
      return { ...none, outcome: "unchanged", reason: "" };
    }
    const list = await readIncoming(source, incoming);
    if (typeof list === "string") return await fail("refused", list);
    const before = await loadUndamaged(options);
    const reason = accept || !last ? null : refusal(before ?? last, list, maxShrinkPercent);
    if (reason !== null) return await fail("refused", `list ${name}: ${reason}`);
    const changes = difference(before?.entries ?? [], list.entries);
    const content = contentOf(folder, source, list.hash);
    await rename(incoming, content);
    const { etag, lastModified } = obtained;
    const versions = [...book.versions, keptOf(list, changes, checkedAt)];
    await writeBook(folder, { versions, etag, lastModified, checkedAt, lastError: "" } satisfies Book);
    options.read.set(name, list);
    await pointLatest(folder, source, content);
    await forgetContents(folder, versions);
    const counts = { added: changes.added.length, removed: changes.removed.length };
    return { name, outcome: "updated", reason: "", version: list.version, ...counts };
  } finally {
    await rm(incoming, { force: true });
  }
}

/** A version that was damaged on disk must not keep a good one out; the history still says how long it was. */
async function loadUndamaged(options: KeptListOptions): Promise<WatchList | null> {
  try {
    return await loadKept(options);
  } catch (error) {
    if (error instanceof ListError) return null;
    throw error;
  }
}

/** The list, or why it is none. */
async function readIncoming(source: ListSource, incoming: string): Promise<WatchList | string> {
  try {
    return await readListFile({ ...source, file: incoming, source: source.url ?? source.file });
  } catch (error) {
    return (error as Error).message.replace(`${incoming}: `, "");
  }
}

/** Where the content in use can be found under a name that stays; replaced at once, never half. */
export function latestOf(folder: string, { format }: Pick<ListSource, "format">): string {
  return join(folder, `latest.${format}.gz`);
}

async function pointLatest(folder: string, source: ListSource, content: string): Promise<void> {
  const latest = latestOf(folder, source);
  await rm(`${latest}.new`, { force: true });
  await link(content, `${latest}.new`);
  await rename(`${latest}.new`, latest);
}

function contentOf(folder: string, { format }: ListSource, hash: string): string {
  return join(folder, `${hash.slice(0, 12)}.${format}.gz`);
}

function keptOf(list: WatchList, { added, removed }: ReturnType<typeof difference>, takenAt: string): Kept {
  const { version, hash, publishedAt, source, entries } = list;
  return {
    version,
    hash,
    publishedAt,
    takenAt,
    source,
    entries: entries.length,
    added: added.length,
    removed: removed.length,
    removedValues: removed.slice(0, 1000).map(({ value }) => value),
  };
}

/** Removes the contents of versions that are no longer among the newest. */
async function forgetContents(folder: string, versions: readonly Kept[]): Promise<void> {
  const keep = new Set(versions.slice(-CONTENTS_KEPT).map(({ hash }) => hash.slice(0, 12)));
  for (const file of await readdir(folder)) {
    const [hash = ""] = file.split(".", 1);
    if (/^[0-9a-f]{12}$/.test(hash) && !keep.has(hash)) await rm(join(folder, file), { force: true });
  }
}
