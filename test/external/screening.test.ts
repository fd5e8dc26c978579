import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createOrigin, type OriginService } from "../../src/origin/origin.ts";
import { difference } from "../../src/screening/difference.ts";
import { readList } from "../../src/screening/formats.ts";
import { type Changed, rescreen } from "../../src/screening/rescreen.ts";
import { createScreening } from "../../src/screening/screening.ts";
import { type WatchList, watchList } from "../../src/screening/watch-list.ts";

const DATA = process.env.ASSAY_EXTERNAL_DATA;
const lists = join(DATA ?? "", "lists");
const here = DATA !== undefined && existsSync(lists);
if (!here) console.warn("ASSAY_EXTERNAL_DATA is not set: the OFAC snapshots are not read.");

/** One day's files, a coin each, as one list. */
function snapshot(directory: string, day: string): WatchList & { coins: Record<string, number> } {
  const coins: Record<string, number> = {};
  const entries = readdirSync(directory)
    .filter((file) => file.endsWith(".txt"))
    .flatMap((file) => {
      const coin = file.replace(/^sanctioned_addresses_|\.txt$/g, "");
      const rows = readList("text", readFileSync(join(directory, file), "utf8")).entries;
      coins[coin] = rows.length;
      return rows.map((entry) => ({ ...entry, note: coin }));
    });
  return { ...watchList("OFAC", directory, day.replaceAll("-", ""), { entries, publishedAt: day }), coins };
}

describe.skipIf(!here)("OFAC's digital-currency addresses", () => {
  let days: ReturnType<typeof snapshot>[];
  let places: OriginService;
  beforeAll(async () => {
    const history = join(lists, "ofac-history");
    days = readdirSync(history)
      .sort()
      .map((day) => snapshot(join(history, day), day));
    // The 31st, the newest as its branch had it.
    days.push(snapshot(join(lists, "ofac"), "2024-09-27"));
    places = await createOrigin();
  });

  test("2024-09-27 has 654 rows and 641 values", () => {
    const last = snapshot(join(lists, "ofac"), "2024-09-27");
    expect(last.entries).toHaveLength(654);
    expect(new Set(last.entries.map(({ value }) => value)).size).toBe(641);
    expect(last.coins).toEqual({
      ARB: 1,
      BCH: 7,
      BSC: 1,
      BSV: 1,
      BTG: 1,
      DASH: 3,
      ETC: 1,
      ETH: 152,
      LTC: 10,
      TRX: 6,
      USDC: 2,
      USDT: 26,
      XBT: 435,
      XMR: 3,
      XRP: 1,
      XVG: 1,
      ZEC: 3,
    });
  });

  test("every change is found, and every value known is screened again against it", async () => {
    const service = await createScreening({ lists: [], places });
    const known = new Set<string>();
    const changes: { day: string; added: number; removed: string[] }[] = [];
    let before: WatchList | undefined;
    for (const list of days) {
      const { added, removed } = difference(before?.entries ?? [], list.entries);
      const atMs = Date.parse(list.publishedAt);
      for (const { value } of list.entries) known.add(value);
      const held = [...known].map((value) => {
        return { subject: "address", value, stood: service.screen("address", value, atMs).matches } as const;
      });
      service.replace([list]);
      const changed: Changed[] = [];
      let screened = 0;
      for (const batch of rescreen(held, (subject, value) => service.screen(subject, value, atMs))) {
        screened += batch.screenings.length;
        changed.push(...batch.changed);
      }
      expect(screened).toBe(known.size);
      // What changed for somebody is what changed in the list, whatever else the value stood under.
      const lost = changed.filter(({ screening, lost }) => lost.length > 0 && screening.matches.length === 0);
      expect(lost.map(({ screening }) => screening.value).sort()).toEqual(
        removed.map(({ value }) => value).sort(),
      );
      for (const { value } of list.entries)
        expect(service.screen("address", value, atMs).matches.length, value).toBeGreaterThan(0);
      if (added.length + removed.length > 0)
        changes.push({
          day: list.publishedAt,
          added: added.length,
          removed: removed.map(({ value }) => value),
        });
      before = list;
    }
    expect(days).toHaveLength(31);
    // The first snapshot counts as the change from nothing; 2023-11-22 and the last changed nothing.
    expect(changes).toHaveLength(29);
    expect(changes.filter(({ removed }) => removed.length > 0).map(({ day }) => day)).toEqual([
      "2022-11-09",
      "2024-01-12",
    ]);
  });

  test("the TRON address that stands in the Bitcoin list is met like any other", async () => {
    const service = await createScreening({ lists: [], places });
    service.replace([snapshot(join(lists, "ofac"), "2024-09-27")]);
    const [match] = service.screen("address", "TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq", 0).matches;
    expect(match?.note).toBe("XBT");
  });
});
