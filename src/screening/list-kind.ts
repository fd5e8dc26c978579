import type { Subject } from "#core/screening.ts";
import { difference, refusal } from "./difference.ts";
import type { Format } from "./formats.ts";
import type { Kind, Source } from "./kept.ts";
import { readListFile } from "./read-file.ts";
import type { WatchList } from "./watch-list.ts";

/** A watch list and where it comes from. */
export interface ListSource extends Source {
  format: Format | "xml";
  subject?: Subject | undefined;
}

/** The entries that went, so that a withdrawn flag can say so, are told up to this number. */
const REMOVED_TOLD = 1000;

/** Watch lists, and lists of networks. */
export const listKind: Kind<ListSource, WatchList> = {
  unit: "entries",
  contentsKept: 30,
  suffix: ({ format }) => `${format}.gz`,
  read: (file, source, from) => readListFile({ ...source, file, source: from }),
  sizeOf: ({ entries }) => entries.length,
  refusal,
  difference(before, after) {
    const { added, removed } = difference(before?.entries ?? [], after.entries);
    const removedValues = removed.slice(0, REMOVED_TOLD).map(({ value }) => value);
    return { added: added.length, removed: removed.length, removedValues };
  },
};
