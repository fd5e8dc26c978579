import { link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Book, type Kept, readBook, writeBook } from "./history.ts";
import { addressesOf, type Obtained, obtain } from "./obtain.ts";

/** Something that is kept in versions and where it comes from: a server, or a file (an offline copy, or the operator's own). */
export interface Source {
  name: string;
  /** `{year}` and `{month}` stand for those of the day, or of the month before while the server has none of this one. */
  url?: string | undefined;
  /** Of a server that asks for them. */
  username?: string | undefined;
  password?: string | undefined;
  /** Absolute path. */
  file?: string | undefined;
  /** Days without a check that reached the source after which it counts as stale. */
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

/** What every content tells of itself. */
export interface Content {
  version: string;
  /** SHA-256 of the content, hexadecimal. */
  hash: string;
  /** The publisher's day, "" when it does not say. */
  publishedAt: string;
  source: string;
}

/** How contents of one sort are kept, read and compared. */
export interface Kind<S extends Source, C extends Content> {
  /** What `sizeOf` counts. */
  unit: string;
  /** Ends a content's name on disk, such as "xml.gz". */
  suffix(source: S): string;
  /** Contents kept of each source; of older versions the history alone. */
  contentsKept: number;
  /** Brings what was obtained, compressed, into the form it is kept in, in the same file. Throws what is wrong with it. */
  unpack?(file: string): Promise<void>;
  /** Throws what is wrong with the content. */
  read(file: string, source: S, from: string): Promise<C>;
  sizeOf(content: C): number;
  /** Why a new content must not replace the one in use, or null; of one that was damaged on disk there is the history alone. */
  refusal(before: C | Kept, after: C, maxShrinkPercent: number): string | null;
  difference(before: C | null, after: C): Pick<Kept, "added" | "removed" | "removedValues">;
}

/** One source's folder, and the rules for what may replace what is in it. */
export interface KeptOptions<S extends Source, C extends Content> {
  source: S;
  kind: Kind<S, C>;
  folder: string;
  /** Contents already read, by name: a large one takes seconds. */
  read: Map<string, C>;
  /** A version that lost more than this part of what it holds is refused. */
  maxShrinkPercent: number;
  now: () => number;
}

/** The version in use, or null when there is none yet. Throws when it was damaged on disk. */
export async function loadKept<S extends Source, C extends Content>(
  options: KeptOptions<S, C>,
): Promise<C | null> {
  const { source, kind, folder, read } = options;
  const last = (await readBook(folder)).versions.at(-1);
  if (last === undefined) return null;
  const known = read.get(source.name);
  if (known?.hash === last.hash) return known;
  const content = await kind.read(contentOf(options, last.hash), source, last.source);
  read.set(source.name, content);
  return content;
}

/** Asks the source and takes what it gives into use, unless a guard says no; `accept` takes it in any case that parses. */
export async function updateKept<S extends Source, C extends Content>(
  options: KeptOptions<S, C>,
  { accept, signal }: { accept: boolean; signal: AbortSignal },
): Promise<Update> {
  const { source, kind, folder, maxShrinkPercent, now } = options;
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
  const unchanged = async (): Promise<Update> => {
    await writeBook(folder, { ...book, checkedAt, lastError: "" });
    return { ...none, outcome: "unchanged", reason: "" };
  };
  // Another process may be updating the same source.
  const incoming = join(folder, `incoming-${process.pid}.${kind.suffix(source)}`);
  try {
    const { obtained, from } = await ask(options, book, incoming, signal);
    if (obtained.outcome === "unreachable") return await fail("unreachable", obtained.reason);
    if (obtained.outcome === "unchanged" || obtained.hash === last?.hash) return await unchanged();
    const content = await readIncoming(options, incoming, from);
    if (typeof content === "string") return await fail("refused", content);
    // Packed anew, it may be the same.
    if (content.hash === last?.hash) return await unchanged();
    const before = await loadKept(options).catch(() => null);
    const reason = accept || !last ? null : kind.refusal(before ?? last, content, maxShrinkPercent);
    if (reason !== null) return await fail("refused", reason);
    const changes = kind.difference(before, content);
    const file = contentOf(options, content.hash);
    await rename(incoming, file);
    const { etag, lastModified } = obtained;
    const { version, hash, publishedAt } = content;
    const entries = kind.sizeOf(content);
    const taken: Kept = { version, hash, publishedAt, takenAt: checkedAt, source: from, entries, ...changes };
    const versions = [...book.versions, taken];
    await writeBook(folder, { versions, etag, lastModified, checkedAt, lastError: "" } satisfies Book);
    options.read.set(name, content);
    await pointLatest(latestOf(options), file);
    await forgetContents(options, versions);
    return { name, outcome: "updated", reason: "", version, added: changes.added, removed: changes.removed };
  } finally {
    await rm(incoming, { force: true });
  }
}

/** Asks the file, or the first of the server's addresses that has something. */
async function ask<S extends Source, C extends Content>(
  { source: { url, file, username, password }, now }: KeptOptions<S, C>,
  book: Book,
  incoming: string,
  signal: AbortSignal,
): Promise<{ obtained: Obtained; from: string }> {
  const asked = { etag: "", lastModified: "", username, password };
  if (url === undefined)
    return { obtained: await obtain({ ...asked, file }, incoming, signal), from: file ?? "" };
  const [first = url, ...others] = addressesOf(url, now());
  // What a server said of one address says nothing of another.
  const request = (from: string) =>
    from === book.versions.at(-1)?.source ? { ...asked, ...book, url: from } : { ...asked, url: from };
  let from = first;
  let obtained = await obtain(request(from), incoming, signal);
  for (const other of others) {
    if (obtained.outcome !== "unreachable" || !obtained.missing) break;
    from = other;
    obtained = await obtain(request(from), incoming, signal);
  }
  return { obtained, from };
}

/** The content, or why it is none. */
async function readIncoming<S extends Source, C extends Content>(
  { source, kind }: KeptOptions<S, C>,
  incoming: string,
  from: string,
): Promise<C | string> {
  try {
    await kind.unpack?.(incoming);
    return await kind.read(incoming, source, from);
  } catch (error) {
    return (error as Error).message.replace(`${incoming}: `, "");
  }
}

type Place<S extends Source, C extends Content> = Pick<KeptOptions<S, C>, "folder" | "kind" | "source">;

/** Where the content in use can be found under a name that stays; replaced at once, never half. */
export function latestOf<S extends Source, C extends Content>({ folder, kind, source }: Place<S, C>): string {
  return join(folder, `latest.${kind.suffix(source)}`);
}

async function pointLatest(latest: string, content: string): Promise<void> {
  await rm(`${latest}.new`, { force: true });
  await link(content, `${latest}.new`);
  await rename(`${latest}.new`, latest);
}

function contentOf<S extends Source, C extends Content>(
  { folder, kind, source }: Place<S, C>,
  hash: string,
): string {
  return join(folder, `${hash.slice(0, 12)}.${kind.suffix(source)}`);
}

/** Removes the contents of versions that are no longer among the newest. */
async function forgetContents<S extends Source, C extends Content>(
  { folder, kind }: Place<S, C>,
  versions: readonly Kept[],
): Promise<void> {
  const keep = new Set(versions.slice(-kind.contentsKept).map(({ hash }) => hash.slice(0, 12)));
  for (const file of await readdir(folder)) {
    const [hash = ""] = file.split(".", 1);
    if (/^[0-9a-f]{12}$/.test(hash) && !keep.has(hash)) await rm(join(folder, file), { force: true });
  }
}
