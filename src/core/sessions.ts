import type { Session, Share } from "#core/observation.ts";

/** Sessions of a generation. Two are kept: when the younger is full, what is left of the elder gives way. */
const GENERATION = 100_000;

/**
 * Open connections: what a share does not say of itself, its session may have said. Where shares and sessions come from
 * two sources (a pool's database without addresses, a tap in front of it), they share no session id; there the worker
 * joins them, by the connection it logged in on last.
 */
export class Sessions {
  #young = new Map<string, Session>();
  #old = new Map<string, Session>();
  readonly #byWorker = new Map<string, Session>();
  /** Sessions forgotten before they closed. */
  forgotten = 0;

  /** The session a share belongs to: its own, or else its worker's. */
  of(share: Share): Session | undefined {
    const own = share.session === undefined ? undefined : this.#get(`${share.pool}\n${share.session}`);
    return own ?? (this.#byWorker.size > 0 ? this.#byWorker.get(workerKey(share)) : undefined);
  }

  /** Joins a step in a session's life to what was known of it, which is returned. */
  note(session: Session): Session | undefined {
    const key = `${session.pool}\n${session.session}`;
    const known = this.#get(key);
    this.#young.delete(key);
    this.#old.delete(key);
    if (known?.account !== undefined) this.#leave(known);
    if (session.event === "close") return known;
    const joined = { ...known, ...session };
    this.#young.set(key, joined);
    if (joined.account !== undefined) this.#byWorker.set(workerKey(joined), joined);
    if (this.#young.size >= GENERATION) this.#turn();
    return known;
  }

  #get(key: string): Session | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** A whole generation at once: taking the oldest of one Map by one would walk over all it has deleted before. */
  #turn(): void {
    for (const session of this.#old.values()) if (session.account !== undefined) this.#leave(session);
    this.forgotten += this.#old.size;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** A worker that logged in anew elsewhere stays where it is now. */
  #leave(session: Session): void {
    const key = workerKey(session);
    if (this.#byWorker.get(key)?.session === session.session) this.#byWorker.delete(key);
  }
}

/** Some programs name a worker "rig", others "account.rig". */
function workerKey({
  pool,
  account = "",
  worker = "",
}: Pick<Session, "pool" | "account" | "worker">): string {
  return worker.startsWith(`${account}.`)
    ? `${pool}\n${account}\n${worker.slice(account.length + 1)}`
    : `${pool}\n${account}\n${worker}`;
}
