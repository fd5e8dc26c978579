import { stat } from "node:fs/promises";
import { parseAddress } from "#core/address.ts";
import type { LookUpOrigin, Origin, Tier } from "#core/origin.ts";
import type { ListVersion } from "#core/screening.ts";
import type { Task } from "#core/task.ts";
import type { Answer } from "./answers.ts";
import { createComposer, type Sources, unreadable } from "./compose.ts";
import { ALWAYS, holds } from "./dated.ts";
import { Generations } from "./generations.ts";
import { type Loaded, type Notice, noticeOf, type OriginFiles, partsOf, sourcesOf } from "./load.ts";
import type { Network } from "./networks.ts";

/** What the origin is told. */
export interface OriginOptions extends OriginFiles {
  /** Addresses kept in memory at most, about 260 bytes each. */
  cacheBound?: number;
}

/** What a place is under, for screening. */
interface PlaceAnswer {
  tier: Tier;
  /** The code the answer was found under, "" when no row applies. */
  place: string;
  source: string;
  note: string;
}

/** What became of a file that changed. */
export interface Reload {
  file: string;
  /** Null: it is in use. Otherwise why it is not; what was read before stays in use. */
  error: string | null;
}

/** How `watch` waits and tells; `sleep` resolves early when `signal` aborts. */
interface Watching {
  everyMs: number;
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** After every look at the files, with what became of those that changed. */
  onRound: (reloads: readonly Reload[]) => Promise<void>;
}

/** What is answered from one state of the databases and tables. */
interface OriginAnswers {
  /** Never throws. The same address gives the same object while it is cached and nothing about it changes. */
  lookUp: LookUpOrigin;
  /** The tier of an ISO 3166-1 or 3166-2 code such as KP or UA-43. */
  place(code: string, atMs: number): PlaceAnswer;
  /** Rows of the tables that name an autonomous system and hold at the instant. */
  system(asn: number, atMs: number): readonly Network[];
  /** The databases and tables in use, as screenings record them, tiers last; the same array until one of them changes. */
  versions(): readonly ListVersion[];
  /** The latest instant up to `atMs` at which a dated row began or ended to hold; -Infinity when none has. */
  changedMs(atMs: number): number;
}

/** Countries, networks and tiers of addresses. */
export interface OriginService extends OriginAnswers {
  notices(nowMs: number): Notice[];
  /** Reads the files that changed since they were last looked at. Of one that does not hold the last good state stays. */
  reload(): Promise<Reload[]>;
  /** Reloads every so often until aborted. */
  watch(watching: Watching): Task;
}

/** 2 × 65,536 addresses: about 34 MB when full, measured at 261 bytes each. */
const CACHE_BOUND = 131_072;

/** Reads databases and tables. Rejects, naming the file and every mistake in it, when one does not hold. */
export async function createOrigin(options: OriginOptions = {}): Promise<OriginService> {
  const parts = partsOf(options);
  const stamps = await Promise.all(parts.map(({ file }) => stampOf(file)));
  let loaded = await Promise.all(parts.map((part) => part.load()));
  const bound = options.cacheBound ?? CACHE_BOUND;
  let answers = answersFrom(sourcesOf(loaded), bound);

  async function reload(): Promise<Reload[]> {
    const reloads: Reload[] = [];
    const next: Loaded[] = [...loaded];
    for (const [index, part] of parts.entries()) {
      const stamp = await stampOf(part.file);
      if (stamp === stamps[index]) continue;
      stamps[index] = stamp;
      try {
        next[index] = await part.load();
        reloads.push({ file: part.file, error: null });
      } catch (error) {
        reloads.push({ file: part.file, error: (error as Error).message });
      }
    }
    if (reloads.some(({ error }) => error === null)) {
      loaded = next;
      answers = answersFrom(sourcesOf(loaded), bound);
    }
    return reloads;
  }

  return {
    lookUp: (ip, atMs) => answers.lookUp(ip, atMs),
    place: (code, atMs) => answers.place(code, atMs),
    system: (asn, atMs) => answers.system(asn, atMs),
    versions: () => answers.versions(),
    changedMs: (atMs) => answers.changedMs(atMs),
    notices: (nowMs) => loaded.map((part) => noticeOf(part, nowMs)),
    reload,
    watch:
      ({ everyMs, sleep, onRound }) =>
      async (signal) => {
        while (!signal.aborted) {
          await sleep(everyMs, signal);
          if (!signal.aborted) await onRound(await reload());
        }
      },
  };
}

function answersFrom(sources: Sources, cacheBound: number): OriginAnswers {
  const { own, tables, databases, tiers } = sources;
  const all = [...own, ...tables];
  const versions = [
    ...databases.map(({ type, builtAtMs, hash }) => {
      const day = new Date(builtAtMs).toISOString().slice(0, 10);
      return { name: type, version: `${day} ${hash.slice(0, 12)}` };
    }),
    ...[...all, tiers].map(({ name, version }) => ({ name, version })),
  ];
  const edges = [...all, tiers].flatMap((table) => table.edges);
  return {
    lookUp: cached(sources, cacheBound),
    place(code, atMs) {
      const [country = ""] = code.split("-", 1);
      return tiers.of(country, code === country ? "" : code, atMs);
    },
    system: (asn, atMs) =>
      all.flatMap((table) => table.naming(asn)).filter((network) => holds(network, atMs)),
    versions: () => versions,
    changedMs: (atMs) =>
      edges.reduce(
        (latest, edge) => (edge <= atMs && edge > latest ? edge : latest),
        Number.NEGATIVE_INFINITY,
      ),
  };
}

/**
 * Keeps answers with the stretch of time over which they hold. The hot path, once per share: one Map look-up and two
 * comparisons (bench/origin.ts).
 */
function cached(sources: Sources, bound: number): LookUpOrigin {
  const answers = new Generations<string, Answer>(bound);
  const compose = createComposer(sources);
  return function lookUp(ip: string, atMs: number): Origin {
    const known = answers.get(ip);
    if (known !== undefined && known.fromMs <= atMs && atMs < known.untilMs) return known.origin;
    const address = parseAddress(ip);
    if (address === null) {
      const origin = unreadable(ip);
      // A name of any length must not stay in memory.
      if (ip.length <= 64) answers.set(ip, { origin, ...ALWAYS });
      return origin;
    }
    const answer = compose(address, atMs);
    const canonical = answer.origin.ip;
    if (canonical === ip) {
      answers.set(ip, answer);
      return answer.origin;
    }
    // Other spellings, and IPv4-mapped ones, share the canonical spelling's object.
    const shared = lookUp(canonical, atMs);
    answers.set(ip, { ...answer, origin: shared });
    return shared;
  };
}

/** Changes when a file is written or replaced; "" when it is not there. */
async function stampOf(file: string): Promise<string> {
  if (file === "") return "";
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "";
  }
}
