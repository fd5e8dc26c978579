import type { AccountState } from "#core/account-state.ts";

/** A country that an account mines from, with its part of the recent sources' work. */
export interface Place {
  country: string;
  watch: boolean;
  part: number;
}

/** Countries of the recent sources, in the order they were met; parts are NaN where no work is left. */
export function placesOf(state: AccountState): Place[] {
  const places: Place[] = [];
  let total = 0;
  for (const { origin, work } of state.sources) {
    total += work;
    const known = places.find(({ country }) => country === origin.country);
    if (known) known.part += work;
    else places.push({ country: origin.country, watch: origin.tier === "watch", part: work });
  }
  for (const place of places) place.part /= total;
  return places;
}
