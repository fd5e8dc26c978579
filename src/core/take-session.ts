import { noteAgent, noteWorker } from "#core/account-sources.ts";
import { type AccountState, noteTls, roll } from "#core/account-state.ts";
import type { AnalysisState } from "#core/analysis-state.ts";
import { CELL } from "#core/cells.ts";
import { networkOf } from "#core/network-of.ts";
import type { Session } from "#core/observation.ts";
import { breakEndedBy, noteEnded, noteRestart } from "#core/restarts.ts";
import { noteRoundTrips } from "#core/round-trips.ts";

/**
 * A step in a connection's life. An account begins with work, not with a login; a login from a place under comprehensive
 * sanctions is screened all the same.
 */
export function takeSession(held: AnalysisState, session: Session): void {
  held.coverage.sessions = true;
  const known = held.sessions.note(session);
  if (session.event === "close") takeClose(held, session, known);
  if (session.account === undefined) return;
  const { pool, account, atMs, event } = session;
  const state = held.accounts.of(pool, account);
  const origin = held.lookUpOrigin(session.ip, atMs);
  const mined = state?.sources.some((source) => source.origin.ip === origin.ip) ?? false;
  if (!mined && origin.tier === "comprehensive" && event === "authorize") {
    held.sightings.push({ kind: "source", pool, account, value: origin.ip, origin, atMs });
  }
  if (!state) return;
  roll(state, atMs);
  // A tap tells a login again when a round trip is news; a session counts once.
  if (event === "authorize" && known?.account === undefined) {
    (state.place.doubles[state.place.at + CELL.daySessions] as number) += 1;
    takeLogin(held, state, session);
    if (session.agent !== undefined && session.agent !== "") noteAgent(state, session.agent, atMs, true);
  }
  // A proxy logs in many workers on one connection.
  if (event === "authorize" && session.worker !== undefined && session.worker !== known?.worker)
    noteWorker(state, session.worker, atMs, true);
  noteRoundTrips(state, session.rttMs, session.appRttMs);
  noteTls(state, session.tlsFingerprint);
  if (state.watched) held.closely.trips(state, session);
  if (state.watched && event === "authorize") held.book.latency(state, session, atMs);
  state.dirty = true;
}

/** A connection ended that was known to be an account's. */
function takeClose(held: AnalysisState, { pool, atMs }: Session, known: Session | undefined): void {
  held.coverage.closes = true;
  if (known?.account === undefined) return;
  const state = held.accounts.of(pool, known.account);
  if (!state) return;
  roll(state, atMs);
  const stood = held.sessions.standing(known) + 1;
  if (noteEnded(state, networkOf(known.ip), stood, atMs)) held.poolBreaks.note(pool, atMs);
  state.dirty = true;
}

/** A login may end a break: a restart, unless it was the pool that broke. */
function takeLogin(held: AnalysisState, state: AccountState, { pool, ip, atMs }: Session): void {
  const sinceMs = breakEndedBy(state, networkOf(ip), atMs);
  if (sinceMs !== undefined && !held.poolBreaks.isWide(pool, sinceMs)) noteRestart(state);
}
