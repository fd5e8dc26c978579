import { networkOf } from "#core/network-of.ts";
import type { Session, Share } from "#core/observation.ts";

/** Sessions of a generation. Two are kept: when the younger is full, what is left of the elder gives way. */
const GENERATION = 100_000;
/** Workers of one connection that are joined to it: a farm's proxy logs in hundreds. */
const MOST_WORKERS = 1024;
/** Workers joined to connections at all. Beyond either bound a connection keeps the worker it logged in last. */
const MOST_JOINED = 4 * GENERATION;

/**
 * Open connections: what a share does not say of itself, its session may have said. Where shares and sessions come from
 * two sources (a pool's database without addresses, a tap in front of it), they share no session id; there the worker
 * joins them, by the connection it logged in on last.
 */
export class Sessions {
  #young = new Map<string, Session>();
  #old = new Map<string, Session>();
  readonly #byWorker = new Map<string, Session>();
  /** The workers before the last, of connections that logged in more than one. */
  readonly #earlier = new Map<string, Set<string>>();
  /** How many connections an account has open in a network. */
  readonly #standing = new Map<string, number>();
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
    if (session.event === "close") {
      if (known) this.#leave(key, known);
      return known;
    }
    const joined = { ...known, ...session };
    this.#young.set(key, joined);
    if (known) this.#stand(known, -1);
    this.#stand(joined, 1);
    if (joined.account !== undefined) this.#join(key, joined, known);
    if (this.#young.size >= GENERATION) this.#turn();
    return known;
  }

  /** How many connections stand that are open to a session's account in its network. */
  standing(session: Session): number {
    return this.#standing.get(standingKey(session)) ?? 0;
  }

  #stand(session: Session, more: 1 | -1): void {
    if (session.account === undefined) return;
    const key = standingKey(session);
    const count = (this.#standing.get(key) ?? 0) + more;
    if (count > 0) this.#standing.set(key, count);
    else this.#standing.delete(key);
  }

  #get(key: string): Session | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** A whole generation at once: taking the oldest of one Map by one would walk over all it has deleted before. */
  #turn(): void {
    for (const [key, session] of this.#old) this.#leave(key, session);
    this.forgotten += this.#old.size;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** A connection may log in many workers, one after the other: the earlier ones stay. */
  #join(key: string, session: Session, known: Session | undefined): void {
    const worker = workerKey(session);
    const before = known?.account === undefined ? worker : workerKey(known);
    if (before !== worker) {
      const earlier = this.#earlier.get(key) ?? new Set();
      if (earlier.size < MOST_WORKERS && this.#byWorker.size < MOST_JOINED)
        this.#earlier.set(key, earlier.add(before));
      else this.#part(before, session);
    }
    this.#byWorker.set(worker, session);
  }

  #leave(key: string, session: Session): void {
    if (session.account === undefined) return;
    this.#stand(session, -1);
    this.#part(workerKey(session), session);
    for (const worker of this.#earlier.get(key) ?? []) this.#part(worker, session);
    this.#earlier.delete(key);
  }

  /** A worker that logged in anew elsewhere stays where it is now. */
  #part(worker: string, { session }: Session): void {
    if (this.#byWorker.get(worker)?.session === session) this.#byWorker.delete(worker);
  }
}

const standingKey = ({ pool, account = "", ip }: Session): string => `${pool}\n${account}\n${networkOf(ip)}`;

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
