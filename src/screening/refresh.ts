import type { Screen } from "#core/screening.ts";
import type { Lists } from "./lists.ts";
import type { ScreeningService } from "./screening.ts";

/**
 * Takes the versions on disk into use where they are not those in memory, whoever fetched them: this process, or
 * `assay lists update` beside it. Returns how values were screened before, for a re-screening; null when nothing changed.
 * Throws a ListError when a content was damaged on disk; what is in memory stays.
 */
export async function refresh(
  screening: Pick<ScreeningService, "lists" | "snapshot" | "replace">,
  lists: Pick<Lists, "load" | "status">,
): Promise<Screen | null> {
  const inUse = new Map(screening.lists().map(({ name, version }) => [name, version]));
  const states = await lists.status();
  if (states.every(({ name, version }) => version === "" || inUse.get(name) === version)) return null;
  const loaded = await lists.load();
  const before = screening.snapshot();
  screening.replace(loaded);
  return before;
}
