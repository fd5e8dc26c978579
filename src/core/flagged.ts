import type { AccountState } from "#core/account-state.ts";
import { CELL } from "#core/cells.ts";

/**
 * What was flagged is not learned as normal. An account is flagged from the window that was assessed so until the
 * next one that is not; meanwhile its hashrate baseline stays (changes.ts) and the pool's reference leaves it out.
 */
export function isFlagged({ place }: AccountState): boolean {
  return (place.doubles[place.at + CELL.flaggedMs] as number) > 0;
}

/** Notes how the window that ended at `atMs` was assessed. */
export function noteFlagged(state: AccountState, flagged: boolean, atMs: number): void {
  const { doubles, at } = state.place;
  const before = doubles[at + CELL.flaggedMs] as number;
  if (!flagged && before === 0) return;
  doubles[at + CELL.flaggedMs] = flagged ? atMs : 0;
  state.dirty = true;
}
