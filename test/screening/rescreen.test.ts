import { expect, test } from "vitest";
import { createOrigin } from "../../src/origin/origin.ts";
import { type Known, rescreen } from "../../src/screening/rescreen.ts";
import { createScreening } from "../../src/screening/screening.ts";

test("time alone changes answers: what rested on Syria's programme loses its ground when it ends", async () => {
  const places = await createOrigin();
  const { screen } = await createScreening({ lists: [], places });
  const at = (day: string) => (subject: Known["subject"], value: string) =>
    screen(subject, value, Date.parse(day));
  const known = (
    [
      ["region", "SY"],
      ["region", "KP"],
      ["network", "175.45.176.1"],
      ["network", "5.9.1.1"],
    ] as const
  ).map(([subject, value]) => ({ subject, value, stood: at("2025-06-30")(subject, value).matches }));
  const batches = [...rescreen(known, at("2025-07-01"))];
  expect(batches).toHaveLength(1);
  expect(batches[0]?.screenings.map(({ matches }) => matches.length)).toEqual([0, 1, 1, 0]);
  expect(batches[0]?.changed).toMatchObject([
    { screening: { value: "SY" }, gained: [], lost: [{ entry: "SY", list: { name: "assay tiers" } }] },
  ]);
});

test("a new version with the same entry changes nothing; another list with the same entry does", () => {
  const match = (name: string, version: string) => ({
    list: { name, version },
    entry: "1A",
    note: "",
    source: "",
  });
  const changed = (before: ReturnType<typeof match>, after: ReturnType<typeof match>) =>
    [
      ...rescreen([{ subject: "address", value: "1A", stood: [before] }], (subject, value) => {
        return { subject, value, atMs: 0, lists: [], matches: [after] };
      }),
    ].flatMap((batch) => batch.changed);
  expect(changed(match("a", "1"), match("a", "2"))).toEqual([]);
  expect(changed(match("a", "1"), match("b", "1"))).toMatchObject([
    { gained: [{ list: { name: "b" } }], lost: [{ list: { name: "a" } }] },
  ]);
});

test("comes in batches, and nothing known is left out", () => {
  const known = function* (): Generator<Known> {
    for (let index = 0; index < 25_000; index += 1)
      yield { subject: "address", value: String(index), stood: [] };
  };
  const answer = (subject: Known["subject"], value: string) => ({
    subject,
    value,
    atMs: 0,
    lists: [],
    matches: [],
  });
  const sizes = [...rescreen(known(), answer)].map(({ screenings }) => screenings.length);
  expect(sizes).toEqual([10_000, 10_000, 5000]);
});
