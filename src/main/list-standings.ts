import type { WatchLists } from "../review/answers.ts";
import type { Parts } from "./parts.ts";

/** Versions told of each list: two years of a list that changes every week. */
const MAX_VERSIONS = 100;

/** Every list as it stands, with its versions, for the console: those kept on disk, and what comes with Assay. */
export async function listStandings(
  parts: Pick<Parts, "lists" | "networkLists" | "screening">,
): Promise<WatchLists["lists"]> {
  const inUse = parts.screening.lists();
  const kept = [parts.lists, parts.networkLists].map(async (lists) =>
    Promise.all(
      (await lists.status()).map(async ({ takenAt: _, unit: __, ...state }) => {
        // What is in memory is what values meet; the disk may be a moment ahead.
        const { version, entries, source, publishedAt } =
          inUse.find(({ name }) => name === state.name) ?? state;
        const history = (await lists.history(state.name)).slice(-MAX_VERSIONS).reverse();
        return {
          ...state,
          version,
          entries,
          source,
          publishedAt: publishedAt || null,
          checkedAt: state.checkedAt || null,
          history: history.map(({ version, takenAt, entries, added, removed }) => {
            return { version, takenAt, entries, added, removed };
          }),
        };
      }),
    ),
  );
  const listed = (await Promise.all(kept)).flat();
  const bundled = inUse.filter(({ name }) => !listed.some((list) => list.name === name));
  return [
    ...listed,
    ...bundled.map(({ name, version, entries, source, publishedAt }) => ({
      name,
      version,
      entries,
      source,
      publishedAt: publishedAt || null,
      checkedAt: null,
      stale: false,
      lastError: "",
      history: [],
    })),
  ];
}
