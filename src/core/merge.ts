import { type Family, type Flag, type Reason, SEVERITIES, type Severity } from "#core/flag.ts";

/** What destinations were told of a flag since it was opened: never less than before, so telling again is rare. */
export interface Told {
  severity: Severity;
  families: readonly Family[];
}

/** What becomes of an open flag when it is raised again, and whether destinations must hear of it. */
export interface Merged {
  flag: Flag;
  told: Told;
  /** The severity rose, or a family agrees that did not before. */
  tell: boolean;
}

export const severityRank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** Milliseconds of a flag's instant. Throws where it is none: a flag without a time cannot be put in order. */
export function instantMs(instant: string): number {
  const atMs = Date.parse(instant);
  if (Number.isNaN(atMs)) throw new Error(`not an instant: ${instant.slice(0, 40)}`);
  return atMs;
}

/**
 * Brings an open flag up to date, or answers null where the incoming one holds nothing new. The flag keeps its id,
 * openedAt and state. An anomaly is assessed anew by each window, so the newest window's flag replaces the one
 * before; screening hits are single events that come in any order, so they add up, by reason code.
 */
export function merge(open: Flag, seenMs: number, told: Told, incoming: Flag): Merged | null {
  const incomingMs = instantMs(incoming.updatedAt);
  const combined = open.kind === "screening" ? addUp(open, incoming) : incoming;
  const families = [...new Set([...told.families, ...combined.families])];
  const rose = severityRank(combined.severity) > severityRank(told.severity);
  const tell = rose || families.length > told.families.length;
  if (incomingMs <= seenMs && !(open.kind === "screening" && (tell || hasNewReason(open, incoming))))
    return null;
  const { id, openedAt, state } = open;
  const updatedAt = incomingMs > instantMs(open.updatedAt) ? incoming.updatedAt : open.updatedAt;
  return {
    flag: { ...combined, id, openedAt, state, updatedAt },
    told: { severity: rose ? combined.severity : told.severity, families },
    tell,
  };
}

/** Code of the reason that says a hit no longer stands. */
export const GROUND_GONE = "SCREENING_GROUND_GONE";

const hasNewReason = (open: Flag, incoming: Flag): boolean =>
  incoming.reasons.some(({ code }) => !open.reasons.some((reason) => reason.code === code));

function addUp(open: Flag, incoming: Flag): Flag {
  const newCodes = new Set(incoming.reasons.map(({ code }) => code));
  // Of a family that is hit again, nothing may say that its ground has gone.
  const hit = new Set(incoming.reasons.flatMap(({ code, family }) => (code === GROUND_GONE ? [] : [family])));
  const stays = ({ code, family }: Reason) =>
    !newCodes.has(code) && !(code === GROUND_GONE && hit.has(family));
  const graver = severityRank(incoming.severity) > severityRank(open.severity);
  return {
    ...incoming,
    severity: graver ? incoming.severity : open.severity,
    score: Math.max(open.score, incoming.score),
    families: [...new Set([...open.families, ...incoming.families])],
    reasons: [...open.reasons.filter(stays), ...incoming.reasons],
  };
}

/** What the audit trail keeps of a flag: what was concluded and by what, without the observations behind it. */
export function summary(flag: Flag): Record<string, unknown> {
  const { state, severity, score, families, typologies, drift, model, lists } = flag;
  const reasons = flag.reasons.map(({ code }) => code);
  return { state, severity, score, families, typologies, reasons, ...(drift && { drift }), model, lists };
}
