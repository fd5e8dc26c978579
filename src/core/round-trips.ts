import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";

/** A leg behind the visible address is long from so many ms and this part of the whole way (CalcuLatency, USENIX Security 2024). */
const LONG_LEG = { ms: 20, part: 0.5 };

/**
 * Notes a session's round trips: the day's least (a minimum is what queues and slow miners cannot lower), and the leg
 * behind the address where both are told. Where some connections leak past a relay, the leg tells it and the minima do not.
 */
export function noteRoundTrips(
  state: AccountState,
  rttMs: number | undefined,
  appRttMs: number | undefined,
): void {
  const { doubles, at } = state.place;
  if (rttMs !== undefined && rttMs < (doubles[at + CELL.tcpToday] as number))
    doubles[at + CELL.tcpToday] = rttMs;
  if (appRttMs !== undefined && appRttMs < (doubles[at + CELL.appToday] as number))
    doubles[at + CELL.appToday] = appRttMs;
  if (rttMs === undefined || appRttMs === undefined) return;
  const legMs = Math.max(0, appRttMs - rttMs);
  (doubles[at + CELL.dayLegged] as number) += 1;
  (doubles[at + CELL.dayLegLog] as number) += Math.log10(1 + legMs);
  if (legMs >= LONG_LEG.ms && legMs >= LONG_LEG.part * appRttMs)
    (doubles[at + CELL.dayHiddenLegs] as number) += 1;
}
