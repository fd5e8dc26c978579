import { noteAgent, noteWorker } from "#core/account-sources.ts";
import { noteTls, roll } from "#core/account-state.ts";
import type { AnalysisState } from "#core/analysis-state.ts";
import { CELL } from "#core/cells.ts";
import type { Session } from "#core/observation.ts";
import { noteRoundTrips } from "#core/round-trips.ts";

/**
 * A step in a connection's life. An account begins with work, not with a login; a login from a place under comprehensive
 * sanctions is screened all the same.
 */
export function takeSession(held: AnalysisState, session: Session): void {
  held.coverage.sessions = true;
  const known = held.sessions.note(session);
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
