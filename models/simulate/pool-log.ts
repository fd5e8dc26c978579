import type { Outcome, Session, Share } from "#core/observation.ts";
import type { AccountPlan } from "./plan.ts";

/** A connection as its pool knows it. What the pool does not log is left out of what these functions give. */
export interface Logged {
  account: AccountPlan;
  session: string;
  ip: string;
  agent: string;
  /** Draws the name the next message gives: behind a proxy, that of any machine which is on. */
  worker(atMs: number): string;
}

/** A share as the pool logs it. */
export function logShare(
  logged: Logged,
  { atMs, difficulty, outcome }: { atMs: number; difficulty: number; outcome: Outcome },
): Share {
  const { pool, name } = logged.account;
  const share: Share = {
    type: "share",
    atMs: Math.floor(atMs),
    pool: pool.name,
    algorithm: pool.algorithm,
    account: name,
    difficulty,
    outcome,
  };
  if (pool.logs.worker) share.worker = logged.worker(atMs);
  if (pool.logs.sessions) share.session = logged.session;
  if (pool.logs.ip) share.ip = logged.ip;
  if (pool.logs.agent) share.agent = logged.agent;
  return share;
}

/** A session's steps up to its authorization, as the pool logs them; none where it logs no sessions. */
export function logLogin(
  logged: Logged,
  { atMs, rttMs, appRttMs }: { atMs: number; rttMs: number; appRttMs: number },
): Session[] {
  const { pool, name } = logged.account;
  if (!pool.logs.sessions) return [];
  const base = { type: "session" as const, pool: pool.name, session: logged.session, ip: logged.ip };
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  const opened: Session = { ...base, event: "open", atMs: Math.floor(atMs) };
  if (pool.logs.rtt) opened.rttMs = tenth(rttMs);
  const authorized: Session = {
    ...base,
    event: "authorize",
    atMs: Math.floor(atMs + 1 + appRttMs),
    account: name,
  };
  if (pool.logs.agent) authorized.agent = logged.agent;
  if (pool.logs.worker) authorized.worker = logged.worker(atMs);
  if (pool.logs.rtt) {
    authorized.rttMs = tenth(rttMs);
    authorized.appRttMs = tenth(appRttMs);
  }
  return pool.logs.steps ? [opened, authorized] : [authorized];
}

/**
 * A further machine that a proxy logs in on its connection, as the pool logs it: a name may hand in shares once it is
 * authorized (stratum V1, `mining.authorize`; btcagent's registration of workers says the same in its own frames).
 */
export function logWorker(logged: Logged, worker: string, atMs: number): Session | null {
  const { pool, name } = logged.account;
  if (!pool.logs.sessions || !pool.logs.worker) return null;
  return {
    type: "session",
    atMs: Math.floor(atMs),
    pool: pool.name,
    session: logged.session,
    event: "authorize",
    ip: logged.ip,
    account: name,
    worker,
  };
}

/** A session's end, as the pool logs it; none where it logs no sessions. */
export function logClose(logged: Logged, atMs: number, reason: string): Session | null {
  const { pool, name } = logged.account;
  if (!pool.logs.sessions) return null;
  return {
    type: "session",
    atMs: Math.floor(atMs),
    pool: pool.name,
    session: logged.session,
    event: "close",
    ip: logged.ip,
    account: name,
    reason,
  };
}
