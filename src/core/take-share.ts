import { noteOrigin, noteWorker, sourceOf } from "#core/account-sources.ts";
import { type AccountState, noteRejected, noteTls, noteWork, type Source } from "#core/account-state.ts";
import { type AnalysisState, isWatched } from "#core/analysis-state.ts";
import { changeByShare } from "#core/changes.ts";
import { hashesPerDifficulty } from "#core/hashrate.ts";
import { DAY_MS } from "#core/metrics.ts";
import type { Session, Share } from "#core/observation.ts";
import type { Origin } from "#core/origin.ts";
import { noteRoundTrips } from "#core/round-trips.ts";

/** Hot path. An account begins with its first accepted share: only work makes Assay keep anything. */
export function takeShare(held: AnalysisState, share: Share): void {
  let state = held.accounts.of(share.pool, share.account);
  if (share.outcome !== "accepted") {
    const stale = share.outcome === "stale";
    held.book.share(share, stale ? 2 : 3, 0);
    if (state) noteRejected(state, stale, share.atMs);
    if (state?.watched && stale) held.closely.stale(state, share.atMs);
    return;
  }
  const work = share.difficulty * hashesPerDifficulty(share.algorithm);
  held.totals.shares += 1;
  held.totals.difficulty += share.difficulty;
  held.book.share(share, 0, work);
  // A session fills in what the share does not say itself.
  const asks = share.ip === undefined || share.agent === undefined;
  const session = asks ? held.sessions.of(share) : undefined;
  state ??= begin(held, share, session);
  if (!state) return;
  noteWork(state, work, share.atMs);
  if (share.worker !== undefined) noteWorker(state, share.worker, share.atMs);
  const ip = share.ip ?? session?.ip;
  let source: Source | undefined;
  if (ip !== undefined) {
    source = sourceOf(state, ip, share.agent ?? session?.agent ?? "", share.atMs, held.lookUpOrigin);
    if (source.shares === 0) sightSource(held, state, source.origin, share.atMs);
    noteOrigin(state, source, work);
    held.book.origin(share, work, source);
  }
  const change = changeByShare(state, work, share.atMs);
  if (!state.watched) return;
  held.book.account(state, work, source, share.atMs);
  held.closely.share(state, share, work);
  if (change) held.book.change(state, change);
}

function begin(held: AnalysisState, share: Share, session: Session | undefined): AccountState | undefined {
  const { pool, account, atMs } = share;
  const state = held.accounts.create(pool, account, atMs, held.clocks.of(pool).startMs + DAY_MS);
  if (!state) return undefined;
  state.watched = isWatched(held, account);
  held.sightings.push({ kind: "account", pool, account, value: account, atMs });
  if (session) noteRoundTrips(state, session.rttMs, session.appRttMs);
  // It logged in before its first share: what that login told is not told again.
  noteTls(state, (session ?? held.sessions.of(share))?.tlsFingerprint);
  return state;
}

function sightSource(held: AnalysisState, state: AccountState, origin: Origin, atMs: number): void {
  const { pool, account } = state;
  held.sightings.push({ kind: "source", pool, account, value: origin.ip, origin, atMs });
}
