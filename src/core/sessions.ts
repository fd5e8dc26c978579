import type { Session } from "#core/observation.ts";

/** Sessions whose shares may still come; the oldest gives way. */
const MAX_SESSIONS = 200_000;

/** Open connections by pool and session: what a share does not say of itself, its session may have said. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  /** Sessions forgotten before they closed. */
  forgotten = 0;

  of(pool: string, session: string): Session | undefined {
    return this.#open.get(`${pool}\n${session}`);
  }

  /** Joins a step in a session's life to what was known of it, which is returned. */
  note(session: Session): Session | undefined {
    const key = `${session.pool}\n${session.session}`;
    const known = this.#open.get(key);
    if (session.event === "close") {
      this.#open.delete(key);
      return known;
    }
    if (!known && this.#open.size >= MAX_SESSIONS) {
      const oldest = this.#open.keys().next().value;
      if (oldest !== undefined) this.#open.delete(oldest);
      this.forgotten += 1;
    }
    this.#open.set(key, { ...known, ...session });
    return known;
  }
}
