import type { Lists } from "./lists.ts";
import type { ScreeningService } from "./screening.ts";
import type { WatchList } from "./watch-list.ts";

/**
 * Takes the versions on disk into use where they are not those in memory, whoever fetched them: this process, or
 * `assay lists update` beside it. False when nothing changed.
 * Throws a ListError when a content was damaged on disk; what is in memory stays.
 */
export async function refresh(
  screening: Pick<ScreeningService, "lists" | "replace">,
  lists: Pick<Lists<WatchList>, "load" | "status">,
): Promise<boolean> {
  const inUse = new Map(screening.lists().map(({ name, version }) => [name, version]));
  const states = await lists.status();
  if (states.every(({ name, version }) => version === "" || inUse.get(name) === version)) return false;
  screening.replace(await lists.load());
  return true;
}
