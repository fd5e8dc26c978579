import type { FlagChange, FlagEvent, OpsStore } from "#core/store.ts";
import type { ChainPlace } from "./ops-audit.ts";
import type { OpsCalls } from "./ops-calls.ts";
import { ASSAY, type Changed } from "./ops-flags.ts";
import type { KeptScreening } from "./ops-screenings.ts";
import { openThread } from "./thread.ts";

/** Where the operations store lives and what its destinations want to hear. */
export interface OpsOptions {
  file: string;
  /** Destination → the events it asked for. One that is not named is told of flags opened and updated. */
  events?: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds since the epoch, for audit lines and the outbox. */
  now?: () => number;
}

/** The operations store, with its housekeeping. */
export interface EmbeddedOps extends OpsStore {
  screenings(value: string): Promise<KeptScreening[]>;
  /** Forgets messages delivered long ago. */
  prune(nowMs: number): Promise<void>;
}

const UNLESS_ASKED: readonly string[] = ["flag.opened", "flag.updated"];

/** Opens (or creates) the operations store. Whoever opens it closes it. */
export async function openOps({ file, events = {}, now = Date.now }: OpsOptions): Promise<EmbeddedOps> {
  const thread = await openThread<OpsCalls>({ kind: "ops", file });
  const watchers = new Set<(change: FlagChange) => void>();
  const wakers = new Set<() => void>();

  const wanting = (event: FlagEvent, destinations: readonly string[]) =>
    destinations.filter((destination) => (events[destination] ?? UNLESS_ASKED).includes(event));
  const wake = () => {
    for (const waker of wakers) waker();
  };
  function publish<T>({ result, changes }: Changed<T>): T {
    for (const change of changes) for (const watcher of watchers) watcher(change);
    if (changes.length > 0) wake();
    return result;
  }
  const subscribe = <T>(all: Set<T>, listener: T) => {
    all.add(listener);
    return () => void all.delete(listener);
  };
  const closing = () => wanting("flag.closed", Object.keys(events));

  return {
    async raise(flag, evidence, destinations) {
      const opened = wanting("flag.opened", destinations);
      const updated = wanting("flag.updated", destinations);
      return publish(await thread.call("raise", flag, evidence, now(), { opened, updated }));
    },
    flags: (query) => thread.call("flags", query),
    flag: (id) => thread.call("flag", id),
    decide: async (verdict) => publish(await thread.call("decide", verdict, closing())),
    setState: async (id, state, actor, atMs) =>
      publish(await thread.call("setState", id, state, { actor, atMs }, closing())),
    answered: (sinceMs) => thread.call("answered", sinceMs),
    volume: () => thread.call("volume"),
    async note({ atMs, actor, action, after }) {
      await thread.call("note", atMs, actor, action, after);
    },
    audit: ({ afterId, limit }) => thread.call("audit", afterId, limit),
    async verifyAudit() {
      let place: ChainPlace | null = null;
      do place = await thread.call("verifyAudit", place);
      while (!place.done);
      const { entries, head, brokenAtId } = place;
      return { entries, head, brokenAtId };
    },
    recordScreenings: (screenings, standings = []) => thread.call("recordScreenings", screenings, standings),
    lastScreenings: (subject) => thread.call("lastScreenings", subject),
    standings: () => thread.call("standings"),
    ground: () => thread.call("ground"),
    settleGround: (ground) => thread.call("settleGround", ground),
    screenings: (value) => thread.call("screenings", value),
    due: (nowMs, limit, destination) => thread.call("due", nowMs, limit, destination),
    nextDueMs: (destination) => thread.call("nextDueMs", destination),
    settle: (id, outcome) => thread.call("settle", id, outcome),
    deliveries: ({ state, limit }) => thread.call("deliveries", state, limit),
    async enqueue({ id, destination, event, body, createdMs }) {
      await thread.call("enqueue", { id, destination, event, flagId: null, body, createdMs });
      wake();
    },
    async resend(id, nowMs, actor = ASSAY) {
      const found = await thread.call("resend", id, nowMs, actor);
      if (found) wake();
      return found;
    },
    disable: (disabled) => thread.call("disable", disabled),
    async enable(destination, actor = ASSAY) {
      await thread.call("enable", destination, now(), actor);
      wake();
    },
    disabled: () => thread.call("disabled"),
    prune: (nowMs) => thread.call("prune", nowMs),
    onChange: (listener) => subscribe(watchers, listener),
    onOutbox: (listener) => subscribe(wakers, listener),
    close: () => thread.close(),
  };
}
