/** Pyongyang's clock, hours ahead of UTC (since 2018-05-05). */
export const PYONGYANG_OFFSET = 9;

/** Part of an operator's actions that falls into the hours he keeps; the rest falls at any hour. Our estimate. */
const KEPT = 0.75;
/** Owners act from morning to late evening on their own clock, 8 to 23; whose address hides them, at any hour. */
const OWNER_HOURS = { from: 8, to: 23 };
/** How far the visible country is believed to be the owner's: hosting and relays show another. */
const BELIEVED = 0.5;

/** Whether it is between 9 and 18 at so many hours ahead of UTC. */
export function isOfficeHour(utcHours: number, offset: number): boolean {
  return isBetween(utcHours, offset, 9, 18);
}

/**
 * Log-likelihood ratio, in nats, of one action at this hour: somebody who keeps office hours at UTC+9 against an owner
 * who lives by the clock of the visible country (`offset` hours ahead of UTC; undefined where it is not known). Adds up
 * over independent actions. `somebody`: how likely it was anybody's action, and not one that falls at any hour.
 */
export function hoursEvidence(utcHours: number, offset: number | undefined, somebody = 1): number {
  const anyHour = 1 / 24;
  const rest = (1 - KEPT) * anyHour;
  const operator = (isOfficeHour(utcHours, PYONGYANG_OFFSET) ? KEPT / 9 : 0) + rest;
  const { from, to } = OWNER_HOURS;
  const owner =
    offset === undefined
      ? anyHour
      : BELIEVED * ((isBetween(utcHours, offset, from, to) ? KEPT / (to - from) : 0) + rest) +
        (1 - BELIEVED) * anyHour;
  const nobody = (1 - somebody) * anyHour;
  return Math.log((somebody * operator + nobody) / (somebody * owner + nobody));
}

function isBetween(utcHours: number, offset: number, from: number, to: number): boolean {
  const local = (utcHours + offset + 24) % 24;
  return local >= from && local < to;
}
