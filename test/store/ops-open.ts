import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FlagChange } from "../../src/core/store.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { temporary } from "./temporary.ts";

export const NOW = Date.UTC(2026, 0, 10);
export const later = (hours: number) => new Date(Date.UTC(2026, 0, 5, 12 + hours)).toISOString();

/** A store of the running test's own, its clock at NOW, with what it told its watchers. */
export async function open(events?: Record<string, string[]>, file = join(temporary(), "ops.db")) {
  const store = await openOps({ file, now: () => NOW, ...(events && { events }) });
  onTestFinished(() => store.close());
  const told: FlagChange[] = [];
  store.onChange((change) => told.push(change));
  return { store, file, told, events: () => told.map(({ event }) => event) };
}
