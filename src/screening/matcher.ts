import { type Address, formatAddress, parseAddress, parsePrefix } from "#core/address.ts";
import { PrefixTable } from "#core/prefix-table.ts";
import type { ListVersion, Match, Subject } from "#core/screening.ts";
import { addressKey, nameKey } from "./keys.ts";
import { createNameIndex } from "./names.ts";
import type { WatchList } from "./watch-list.ts";

/** Every list of one moment, indexed. Immutable: a changed list makes a new one. */
export interface Matcher {
  versions: readonly ListVersion[];
  /** What a value meets, by the rules of its subject. The empty answer is one shared array. */
  find(subject: Subject, value: string): readonly Match[];
}

const NOTHING: readonly Match[] = Object.freeze([]);

/** How a value of each subject is spelled alike. AS numbers and regions are codes: no case, no spaces. */
export function keyOf(subject: Subject, value: string): string {
  switch (subject) {
    case "address":
      return addressKey(value);
    case "name":
      return nameKey(value);
    case "network": {
      const text = value.replace(/\s+/g, "");
      const block = parsePrefix(text);
      if (block === null) return text.toUpperCase();
      const first = block.bits === 32 ? Number(block.first) : block.first;
      return `${formatAddress({ bits: block.bits, value: first } as Address)}/${block.length}`;
    }
    case "region":
      return value.replace(/\s+/g, "").toUpperCase();
  }
}

/**
 * Indexes lists: one Map a subject over all of them, whatever the coin, because an address may stand under several
 * coins or under the wrong one. An entry that looks invalid is indexed like any other. An address is met by every network
 * that holds it, a region by its country's entry too. Names are also matched by
 * likeness from `nameThreshold` on (see `createNameIndex`), weak aliases excepted; addresses never are.
 */
export function createMatcher(lists: readonly WatchList[], nameThreshold: number): Matcher {
  const index: Record<Subject, Map<string, Match[]>> = {
    address: new Map(),
    network: new Map(),
    region: new Map(),
    name: new Map(),
  };
  const versions = lists.map(({ name, version }) => ({ name, version }));
  for (const [at, list] of lists.entries()) {
    const version = versions[at] as ListVersion;
    for (const { subject, value, note } of list.entries) {
      const key = keyOf(subject, value);
      const match: Match = { list: version, entry: value, note, source: list.source };
      const found = index[subject].get(key);
      if (found) found.push(match);
      else index[subject].set(key, [match]);
    }
  }
  let names: ReturnType<typeof createNameIndex<Match>> | undefined;
  const networks = new PrefixTable(
    [...index.network].flatMap(([key, matches]) => {
      const block = parsePrefix(key);
      return block === null ? [] : matches.map((item) => ({ block, item }));
    }),
  );
  const exactly = (subject: Subject, value: string) => index[subject].get(keyOf(subject, value)) ?? NOTHING;
  const within = (value: string) => {
    const address = parseAddress(value.trim());
    return address === null ? exactly("network", value) : networks.find(address);
  };
  const region = (value: string) => {
    const [country = ""] = keyOf("region", value).split("-", 1);
    const matches = exactly("region", value);
    return country === keyOf("region", value) ? matches : joined(matches, exactly("region", country));
  };
  return {
    versions,
    find(subject, value) {
      if (subject === "network") return within(value);
      if (subject === "region") return region(value);
      const exact = exactly(subject, value);
      if (subject === "address") return exact;
      // Built when first asked for: most pools screen no names.
      names ??= createNameIndex(
        [...index.name.values()]
          .flat()
          .filter(({ note }) => !note.startsWith("weak alias"))
          .map((match) => ({ text: match.entry, item: match })),
      );
      const like = names
        .find(value, nameThreshold)
        .filter(({ item }) => !exact.includes(item))
        .map(({ item, score }) => ({
          ...item,
          note: [item.note, `spelling ${score.toFixed(2)} alike`].filter(Boolean).join("; "),
        }));
      return joined(exact, like);
    },
  };
}

/** Both, without a new array where one is empty. */
export function joined(some: readonly Match[], more: readonly Match[]): readonly Match[] {
  return more.length === 0 ? some : some.length === 0 ? more : [...some, ...more];
}
