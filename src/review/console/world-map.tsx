import { geoNaturalEarth1, geoPath } from "d3-geo";
import { useEffect, useMemo, useState } from "preact/hooks";
import { feature } from "topojson-client";
import { country, percent } from "./format.ts";
import { ATLAS_ID, POINTS } from "./places.ts";
import { TIER_WORDS } from "./wording.ts";

/** A part of the work and where it came from. `region` where a place below the country has a tier of its own. */
export interface Place {
  country: string;
  region: string;
  tier: string;
  /** Of the whole, 0..1. */
  part: number;
}

interface Shape {
  id: string;
  outline: string;
}
const WIDTH = 800;
const HEIGHT = 400;

/** The atlas is a third of the console's size: it comes when the first map is shown, and once. */
let shapes: Promise<Shape[]> | undefined;
async function loadShapes(): Promise<Shape[]> {
  const { default: atlas } = await import("world-atlas/countries-110m.json");
  const topology = atlas as unknown as Parameters<typeof feature>[0];
  const countries = feature(topology, topology.objects.countries!);
  const features = "features" in countries ? countries.features : [];
  const draw = geoPath(PROJECTION).digits(1);
  // Antarctica is left out: nobody mines there, and the rest can be larger.
  return features
    .filter((each) => each.id !== "010")
    .map((each) => ({ id: String(each.id ?? ""), outline: draw(each) ?? "" }));
}
const PROJECTION = geoNaturalEarth1()
  .scale(160)
  .translate([WIDTH / 2 - 8, HEIGHT / 2 + 32]);

const RANK: Record<string, number> = { comprehensive: 3, watch: 2, unknown: 1, none: 0 };

/** What one place on the map shows: its whole part, in the colour of its gravest tier. */
function merge(places: readonly Place[]): Map<string, Place> {
  const merged = new Map<string, Place>();
  for (const place of places) {
    const key = place.region in POINTS ? place.region : place.country;
    const known = merged.get(key);
    if (!known) merged.set(key, { ...place });
    else {
      known.part += place.part;
      if ((RANK[place.tier] ?? 0) > (RANK[known.tier] ?? 0)) known.tier = place.tier;
    }
  }
  return merged;
}

const placeName = (place: Place, key: string) =>
  key.includes("-") ? `${country(place.country)} (${key})` : country(place.country);
const label = (place: Place, key: string) =>
  `${placeName(place, key)}: ${percent(place.part)}, ${TIER_WORDS[place.tier] ?? place.tier}`;
/** Small parts stay visible: the shade follows the root of the part. */
const shade = (part: number) => Math.min(1, 0.3 + 0.7 * Math.sqrt(part));

/** Where work came from: countries shaded by their part and coloured by tier, and the list beside it. */
export function WorldMap({ places, rows = 10 }: { places: readonly Place[]; rows?: number }) {
  const [atlas, setAtlas] = useState<Shape[]>([]);
  useEffect(() => {
    shapes ??= loadShapes();
    let shown = true;
    shapes.then((loaded) => {
      if (shown) setAtlas(loaded);
    });
    return () => {
      shown = false;
    };
  }, []);
  const merged = useMemo(() => merge(places), [places]);
  const byAtlasId = new Map([...merged].map(([key, place]) => [ATLAS_ID.get(key) ?? "", { key, place }]));
  const points = [...merged].filter(([key]) => !ATLAS_ID.has(key) && key in POINTS);
  const listed = [...merged].sort(([, a], [, b]) => b.part - a.part);
  const rest = listed.slice(rows).reduce((sum, [, place]) => sum + place.part, 0);
  const summary = `Map of origins. ${listed
    .slice(0, 3)
    .map(([key, place]) => label(place, key))
    .join("; ")}.`;
  return (
    <div class="origins">
      <svg class="map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
        {atlas.map(({ id, outline }, index) => {
          const found = byAtlasId.get(id);
          if (!found || id === "") return <path key={index} d={outline} class="land" />;
          const { key, place } = found;
          return (
            <path
              key={index}
              d={outline}
              class={`land has tier-${place.tier}`}
              style={{ fillOpacity: shade(place.part) }}
              data-country={key}
            >
              <title>{label(place, key)}</title>
            </path>
          );
        })}
        {points.map(([key, place]) => {
          const [x, y] = PROJECTION([...POINTS[key]!]) ?? [0, 0];
          return (
            <circle
              key={key}
              cx={x}
              cy={y}
              r={4 + 6 * Math.sqrt(place.part)}
              class={`point tier-${place.tier}`}
              data-country={key}
            >
              <title>{label(place, key)}</title>
            </circle>
          );
        })}
      </svg>
      <ol class="bars">
        {listed.slice(0, rows).map(([key, place]) => (
          <li key={key}>
            <span class={`swatch tier-${place.tier}`} title={TIER_WORDS[place.tier] ?? place.tier} />
            <span class="bar-name">{placeName(place, key)}</span>
            <span class="bar-value">{percent(place.part)}</span>
            <span class="bar" aria-hidden="true">
              <span class={`tier-${place.tier}`} style={{ width: `${Math.max(0.5, place.part * 100)}%` }} />
            </span>
          </li>
        ))}
        {rest > 0 && (
          <li class="muted">
            <span />
            <span class="bar-name">{listed.length - rows} more</span>
            <span class="bar-value">{percent(rest)}</span>
          </li>
        )}
      </ol>
      <ul class="legend" aria-label="Sanction tiers">
        {Object.entries(TIER_WORDS).map(([tier, words]) => (
          <li key={tier}>
            <span class={`swatch tier-${tier}`} /> {words}
          </li>
        ))}
      </ul>
    </div>
  );
}
