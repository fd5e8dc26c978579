import { isText, MAX_AHEAD_MS, MAX_DIFFICULTY, type Outcome, type Share } from "#core/observation.ts";

/** What a pool program's records do not say themselves. `nowMs` is the receiver's clock; Infinity for a replay. */
export interface PoolContext {
  pool: string;
  algorithm: string;
  nowMs: number;
}

/** Who worked and from where, as it was found, nothing checked yet. */
export interface NameFields {
  account: unknown;
  worker?: unknown;
  ip?: unknown;
  agent?: unknown;
}

/** What was done, nothing checked yet. */
export interface WorkFields {
  atMs: number;
  session?: string | undefined;
  difficulty: number;
  outcome: Outcome;
}

export type ShareFields = NameFields & WorkFields;

/** Checked names. `refused` says why a share may not be theirs. */
export interface Names {
  account: string;
  worker: string | undefined;
  ip: string | undefined;
  agent: string | undefined;
  refused: string | undefined;
}

/** Texts kept for reuse, near 30 MB at most. Names repeat from share to share; a copy also lets go of the line it was cut from. */
const MAX_KNOWN = 262_144;
const known = new Map<string, string>();

/** The text, as the one copy that is kept; undefined when it may not stand in a text field. */
function keep(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const same = known.get(value);
  if (same !== undefined) return same;
  if (!isText(value)) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  const copy = Buffer.from(value).toString();
  known.set(copy, copy);
  return copy;
}

/** Checks names. An agent or address that is no valid text is left out: a miner must not be able to hide its shares behind one. */
export function readNames(fields: NameFields): Names {
  const account = keep(fields.account);
  const worker = keep(fields.worker);
  let refused: string | undefined;
  if (account === undefined) {
    refused = "account: not a text of 1 to 256 characters without control characters";
  } else if (
    worker === undefined &&
    fields.worker !== undefined &&
    fields.worker !== null &&
    fields.worker !== ""
  ) {
    refused = "worker: not a text of at most 256 characters without control characters";
  }
  return { account: account ?? "", worker, ip: keep(fields.ip), agent: keep(fields.agent), refused };
}

/** Makes a share of checked names, or says why it may not be one. Hot path. */
export function shareOf(context: PoolContext, names: Names, fields: WorkFields): Share | string {
  const { difficulty, atMs } = fields;
  if (!(difficulty > 0)) return "difficulty: not above 0";
  if (difficulty > MAX_DIFFICULTY) return "difficulty: too large";
  if (!(atMs >= 0)) return "at: not an instant since 1970";
  if (atMs > context.nowMs + MAX_AHEAD_MS) return "at: in the future";
  if (names.refused !== undefined) return names.refused;
  // Always the same keys in the same order: the shape stays one for all that read shares.
  return {
    type: "share",
    atMs,
    pool: context.pool,
    algorithm: context.algorithm,
    account: names.account,
    worker: names.worker,
    session: fields.session,
    ip: names.ip,
    agent: names.agent,
    difficulty,
    outcome: fields.outcome,
  };
}

/** Checks a share and makes the observation, or says why it may not be one. */
export function toShare(context: PoolContext, fields: ShareFields): Share | string {
  return shareOf(context, readNames(fields), fields);
}
