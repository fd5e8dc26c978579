import type { Session, Share } from "#core/observation.ts";

/** Sessions whose shares may still come; the oldest gives way. */
const MAX_SESSIONS = 200_000;

/**
 * Open connections: what a share does not say of itself, its session may have said. Where shares and sessions come from
 * two sources (a pool's database without addresses, a tap in front of it), they share no session id; there the worker
 * joins them, by the connection it logged in on last.
 */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #byWorker = new Map<string, Session>();
  /** Sessions forgotten before they closed. */
  forgotten = 0;

  /** The session a share belongs to: its own, or else its worker's. */
  of(share: Share): Session | undefined {
    const own = share.session === undefined ? undefined : this.#open.get(`${share.pool}\n${share.session}`);
    return own ?? (this.#byWorker.size > 0 ? this.#byWorker.get(workerKey(share)) : undefined);
  }

  /** Joins a step in a session's life to what was known of it, which is returned. */
  note(session: Session): Session | undefined {
    const key = `${session.pool}\n${session.session}`;
    const known = this.#open.get(key);
    if (session.event === "close") {
      this.#open.delete(key);
      if (known?.account !== undefined) this.#leave(known);
      return known;
    }
    if (!known && this.#open.size >= MAX_SESSIONS) {
      const oldest = this.#open.keys().next().value;
      if (oldest !== undefined) this.#forget(oldest);
      this.forgotten += 1;
    }
    const joined = { ...known, ...session };
    this.#open.set(key, joined);
    if (known?.account !== undefined) this.#leave(known);
    if (joined.account !== undefined) this.#byWorker.set(workerKey(joined), joined);
    return known;
  }

  #forget(key: string): void {
    const session = this.#open.get(key);
    this.#open.delete(key);
    if (session?.account !== undefined) this.#leave(session);
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
