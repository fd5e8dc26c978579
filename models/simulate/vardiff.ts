/**
 * Variable difficulty as ckpool 0.9 has it (src/stratifier.c: add_submit, decay_client): a five-minute decaying mean of
 * difficulty per second, looked at after 240 s or 72 shares; while difficulty stands between 2.5 and 6.7 seconds of the
 * miner's rate nothing changes, else it is set to 3.33 seconds' worth. `targetMs` in place of those 3.33 s scales every
 * time constant alike, so that a week of a large pool can be simulated with few shares and the same behaviour per share.
 */
export interface Vardiff {
  difficulty: number;
  /** Difficulty announced, not yet in force: miners take it with the next job. 0 when none. */
  pending: number;
  pendingFromMs: number;
  /** Decaying mean of difficulty per second. */
  rate: number;
  shares: number;
  firstMs: number;
  lastMs: number;
  changedMs: number;
}

const CKPOOL_TARGET_MS = 1000 / 0.3;
const RATE_MS = 300_000;
const LOOK_MS = 240_000;
const LOOK_SHARES = 72;

/** A miner's first difficulty on a connection. */
export function startVardiff(difficulty: number): Vardiff {
  return {
    difficulty,
    pending: 0,
    pendingFromMs: 0,
    rate: 0,
    shares: 0,
    firstMs: 0,
    lastMs: 0,
    changedMs: 0,
  };
}

/** Puts an announced difficulty in force once the job it came with is out. */
export function takePending(state: Vardiff, atMs: number): boolean {
  if (state.pending === 0 || atMs < state.pendingFromMs) return false;
  state.difficulty = state.pending;
  state.pending = 0;
  return true;
}

/** Counts one share and may announce another difficulty, in force from the next job (every `jobMs`). */
export function countShare(state: Vardiff, atMs: number, targetMs: number, jobMs: number): void {
  const scale = targetMs / CKPOOL_TARGET_MS;
  if (state.firstMs === 0) {
    state.firstMs = atMs;
    state.lastMs = atMs;
    state.changedMs = atMs;
  }
  const gapMs = Math.max(1, atMs - state.lastMs);
  const part = 1 - Math.exp(-Math.min(36, gapMs / (RATE_MS * scale)));
  state.rate = (state.rate + (state.difficulty / (gapMs / 1000)) * part) / (1 + part);
  state.lastMs = atMs;
  state.shares += 1;
  if (state.pending !== 0) return;
  if (state.shares < LOOK_SHARES && atMs - state.changedMs < LOOK_MS * scale) return;
  const bias = 1 - Math.exp(-Math.min(36, Math.max(1, atMs - state.firstMs) / (RATE_MS * scale)));
  const perSecond = state.rate / bias;
  const product = (perSecond / state.difficulty) * scale;
  if (product > 0.15 && product < 0.4) return;
  const optimal = Math.max(1, Math.round((perSecond * targetMs) / 1000));
  if (optimal === state.difficulty) return;
  if (optimal < state.difficulty && state.shares === 1) {
    state.changedMs = atMs;
    return;
  }
  state.shares = 0;
  state.changedMs = atMs;
  state.pending = optimal;
  state.pendingFromMs = Math.ceil((atMs + 1) / jobMs) * jobMs;
}
