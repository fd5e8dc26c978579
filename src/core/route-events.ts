import type { AccountState } from "#core/account-state.ts";
import { HOURS } from "#core/cells.ts";
import { changesOf, hasChanges } from "#core/changes.ts";
import { HOUR_MS } from "#core/metrics.ts";

/** Two events nearer than this are one. */
const SAME_MS = 10 * 60_000;

/** What `RouteEvents` knows, as it is kept over a restart. */
export interface RouteMemory {
  visible: [prefix: string, visible: boolean][];
  instants: number[];
}

/** Watched networks' comings and goings, for the coincidence of an account's changes with them. */
export class RouteEvents {
  readonly #state = new Map<string, boolean>();
  readonly #instants: number[] = [];

  /** Notes an announcement or withdrawal; a change of a prefix's visibility is an event. At most 512 are kept. */
  note(prefix: string, visible: boolean, atMs: number): void {
    const before = this.#state.get(prefix);
    this.#state.set(prefix, visible);
    if (before === undefined || before === visible) return;
    const last = this.#instants.at(-1);
    if (last !== undefined && atMs - last < SAME_MS) return;
    this.#instants.push(atMs);
    if (this.#instants.length > 512) this.#instants.shift();
  }

  dump(): RouteMemory {
    return { visible: [...this.#state], instants: this.#instants };
  }

  load(memory: RouteMemory): void {
    for (const [prefix, visible] of memory.visible) this.#state.set(prefix, visible);
    this.#instants.push(...memory.instants);
  }

  /** Events of the week before `atMs`. */
  week(atMs: number): number[] {
    const from = atMs - HOURS * HOUR_MS;
    return this.#instants.filter((instant) => instant >= from && instant <= atMs);
  }
}

/**
 * −log10 of the probability that as many of the account's recent change points fall within 15 minutes of one of the
 * week's route events by chance: Poisson with the mean that the covered part of the week gives.
 */
export function routeCoincidence(state: AccountState, events: readonly number[], atMs: number): number {
  if (events.length === 0 || !hasChanges(state)) return 0;
  const changes = changesOf(state).filter((change) => change.atMs >= atMs - HOURS * HOUR_MS);
  if (changes.length === 0) return 0;
  const halfMs = 15 * 60_000;
  const hits = changes.filter((change) =>
    events.some((event) => Math.abs(event - change.atMs) <= halfMs),
  ).length;
  const mean = changes.length * Math.min(1, (events.length * 2 * halfMs) / (HOURS * HOUR_MS));
  return -Math.log10(poissonTail(hits, mean));
}

/** P(X ≥ k) of a Poisson variable, at least 1e-300. */
function poissonTail(k: number, mean: number): number {
  let term = Math.exp(-mean);
  for (let index = 1; index <= k; index += 1) term *= mean / index;
  if (k === 0) return 1;
  // The tail from k upwards, summed until the terms vanish: accurate where one minus the head would cancel.
  let tail = 0;
  for (let index = k; term > tail * 1e-12; index += 1) {
    tail += term;
    term *= mean / (index + 1);
  }
  return Math.min(1, Math.max(1e-300, tail));
}
