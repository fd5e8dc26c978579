import { type AccountState, mainCountry } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";
import { DAY_MS, HOUR_MS } from "#core/metrics.ts";
import { hoursEvidence } from "#core/operator-hours.ts";
import { utcOffset } from "#core/time-zones.ts";

/**
 * What people restart: connections from one network that end and are back within minutes. Most who change something on a
 * machine restart it, and few name it anew. Lines and power fail too, and a pool restarts its own servers
 * (pool-breaks.ts): a restart counts by how likely somebody did it, and its hour says accordingly less.
 */

/** A machine boots within so long; what is away for longer was without power or line. */
const BACK_MS = 15 * 60_000;
/** How likely somebody did it: half of several connections at once, or the only one there. Our estimates. */
const SEVERAL = 0.65;
const SINGLE = 0.3;
/**
 * What comes again sooner is the same work, or machines that turn between two accounts; a single connection that breaks more
 * than daily stands on a bad line.
 */
const APART_MS = { several: 3 * HOUR_MS, single: 20 * HOUR_MS } as const;
/** What recurs so near to its time of day is a machine's doing: a reboot by the clock. */
const CLOCK_MS = 10 * 60_000;

/** Notes that one of the `stood` connections of an account in a network ended. True where it is the first of its break. */
export function noteEnded(state: AccountState, network: number, stood: number, atMs: number): boolean {
  const { doubles, at } = state.place;
  const goesOn =
    doubles[at + CELL.breakNetwork] === network && atMs - (doubles[at + CELL.breakMs] as number) <= BACK_MS;
  if (goesOn) (doubles[at + CELL.breakEnded] as number) += 1;
  else {
    doubles[at + CELL.breakNetwork] = network;
    doubles[at + CELL.breakMs] = atMs;
    doubles[at + CELL.breakEnded] = 1;
    doubles[at + CELL.breakStood] = stood;
  }
  return !goesOn;
}

/** Whether a login from a network would end a break of enough connections there; since when it lasted, else undefined. */
export function breakEndedBy(state: AccountState, network: number, atMs: number): number | undefined {
  const { doubles, at } = state.place;
  const sinceMs = doubles[at + CELL.breakMs] as number;
  if (doubles[at + CELL.breakNetwork] !== network || atMs - sinceMs > BACK_MS) return undefined;
  const [ended, stood] = [doubles[at + CELL.breakEnded] as number, doubles[at + CELL.breakStood] as number];
  return stood === 1 || (ended >= 2 && 2 * ended >= stood) ? sinceMs : undefined;
}

/** Notes that the break which a login ended was a restart. It counts once. */
export function noteRestart(state: AccountState): void {
  const { doubles, at } = state.place;
  const sinceMs = doubles[at + CELL.breakMs] as number;
  const lastMs = doubles[at + CELL.restartMs] as number;
  const alone = doubles[at + CELL.breakStood] === 1;
  doubles[at + CELL.breakStood] = Number.POSITIVE_INFINITY;
  doubles[at + CELL.restartMs] = sinceMs;
  if (sinceMs < (doubles[at + CELL.actionsFromMs] as number)) return;
  const apartMs = sinceMs - lastMs;
  if (apartMs < (alone ? APART_MS.single : APART_MS.several) || recurs(apartMs)) return;
  const somebody = alone ? SINGLE : SEVERAL;
  const utcHours = (sinceMs % DAY_MS) / HOUR_MS;
  (doubles[at + CELL.quarterRestarts] as number) += somebody;
  (doubles[at + CELL.quarterRestartEvidence] as number) += hoursEvidence(
    utcHours,
    utcOffset(mainCountry(state)),
    somebody,
  );
}

/** Whether so long after the last it is the same time of day, within a week. */
function recurs(apartMs: number): boolean {
  const off = apartMs % DAY_MS;
  return apartMs < 7 * DAY_MS && Math.min(off, DAY_MS - off) <= CLOCK_MS;
}
