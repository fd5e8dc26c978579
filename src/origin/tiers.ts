import { z } from "zod";
import type { Tier } from "#core/origin.ts";
import { edgesOf, hashOf, holds, narrow, type Period, period, periodShape, readTable } from "./dated.ts";

const schema = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  note: z.string().optional(),
  tiers: z.array(
    z.strictObject({
      place: z
        .union([z.string(), z.array(z.string()).min(1)])
        .transform((value) => (typeof value === "string" ? [value] : value))
        .refine(
          (places) => places.every((place) => /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(place)),
          "ISO 3166-1 alpha-2 or ISO 3166-2, such as KP or UA-43",
        ),
      tier: z.enum(["comprehensive", "watch"]),
      ...periodShape,
      source: z.string().min(1),
      note: z.string().optional(),
    }),
  ),
});

/** What a table says of a place at an instant. */
interface PlaceTier {
  tier: Tier;
  /** The place the answer was found under: the region, or its country. "" when no row applies. */
  place: string;
  source: string;
  note: string;
}

/** Sanction tiers by place and date. */
export interface Tiers {
  name: string;
  /** The table's own, and the start of its content's SHA-256. */
  version: string;
  /** Instants at which a row starts or ends to hold. */
  edges: readonly number[];
  /**
   * A region's row before its country's, `comprehensive` before `watch`. `valid`, when given, is narrowed to the
   * stretch over which the answer stays the same. "ZZ" and "" are unknown.
   */
  of(country: string, region: string, atMs: number, valid?: Period): PlaceTier;
}

interface Row extends Period, Omit<PlaceTier, "place"> {}

/** Reads a table's JSON. Throws a TableError that lists every mistake. */
export function readTiers(file: string, text: string): Tiers {
  const { name, version, tiers } = readTable(file, text, schema);
  const byPlace = new Map<string, Row[]>();
  for (const value of tiers) {
    for (const place of value.place) {
      const rows = byPlace.get(place) ?? [];
      rows.push({
        ...period(value),
        tier: value.tier,
        source: `${name} ${version}: ${value.source}`,
        note: value.note ?? "",
      });
      byPlace.set(place, rows);
    }
  }
  // "comprehensive" sorts before "watch".
  for (const rows of byPlace.values()) rows.sort((a, b) => (a.tier < b.tier ? -1 : a.tier > b.tier ? 1 : 0));
  const none: PlaceTier = { tier: "none", place: "", source: `${name} ${version}`, note: "" };
  const unknown: PlaceTier = { ...none, tier: "unknown" };
  return {
    name,
    version: `${version} ${hashOf(text)}`,
    edges: edgesOf([...byPlace.values()].flat()),
    of(country, region, atMs, valid) {
      if (country === "ZZ" || country === "") return unknown;
      for (const place of region === "" ? [country] : [region, country]) {
        for (const row of byPlace.get(place) ?? []) {
          if (valid) narrow(valid, row, atMs);
          if (holds(row, atMs)) return { tier: row.tier, place, source: row.source, note: row.note };
        }
      }
      return none;
    },
  };
}
