import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SCORED_TYPOLOGIES } from "#core/typologies.ts";
import { type ConfigError, parseConfig } from "../../src/config.ts";
import { openModel } from "../../src/main/parts.ts";
import { assay } from "../support/assay.ts";

const typology = (fields: string) => `{ about: renting by night, ${fields} }`;
const SIGNS = "signs: [{ feature: fleet.rentalAgent }, { feature: operator.age, side: low }]";
const parse = (...typologies: string[]) =>
  parseConfig(`detection: { typologies: [${typologies.join(", ")}] }`);

function mistakesOf(...typologies: string[]): readonly string[] {
  try {
    parse(...typologies);
  } catch (error) {
    return (error as ConfigError).mistakes;
  }
  return [];
}

test("a typology of one's own is its name, what it is about, and its signs", () => {
  expect(parse(typology(`name: night-rental, source: a case, ${SIGNS}`)).detection.typologies).toEqual([
    {
      name: "night-rental",
      about: "renting by night",
      source: "a case",
      signs: [
        { feature: "fleet.rentalAgent", side: "high" },
        { feature: "operator.age", side: "low" },
      ],
    },
  ]);
  expect(parse().detection.typologies).toEqual([]);
});

test("one's own stand after those that the model scores", async () => {
  const model = await openModel(parse(typology(`name: night-rental, ${SIGNS}`)));
  await model.close();
  expect(model.typologies).toEqual([...SCORED_TYPOLOGIES, "night-rental"]);
});

test("one that could not be looked for, or not be told apart, is refused with its place", () => {
  expect(
    mistakesOf(
      typology(`name: relay, ${SIGNS}`),
      typology(`name: twice, ${SIGNS}`),
      typology(`name: twice, ${SIGNS}`),
      typology("name: narrow, signs: [{ feature: fleet.rentalAgent }, { feature: fleet.agents }]"),
      typology(
        "name: repeated, signs: [{ feature: fleet.agents }, { feature: operator.age }, { feature: fleet.agents }]",
      ),
    ),
  ).toEqual([
    "detection.typologies[2].name: twice is the name of another typology already",
    "detection.typologies[0].name: relay is a typology that Assay knows",
    "detection.typologies[3].signs: all of one family; a flag needs two that agree",
    "detection.typologies[4].signs[2].feature: fleet.agents is a sign already",
  ]);
  expect(
    mistakesOf(typology("name: odd, signs: [{ feature: fleet.color }, { feature: operator.age }]")),
  ).toEqual(["detection.typologies.0.signs.0.feature: no feature of this name; docs/features.md lists them"]);
  expect(mistakesOf(typology("name: bare, signs: []"))[0]).toMatch(/^detection\.typologies\.0\.signs: /);
});

test("assay check names a sign that says nothing with the model", async () => {
  const place = await mkdtemp(join(tmpdir(), "assay-typologies-"));
  try {
    const config = join(place, "assay.yaml");
    const write = (...features: string[]) => {
      const signs = features.map((feature) => `{ feature: ${feature} }`).join(", ");
      const own = `{ name: partly, about: mining from nowhere, signs: [${signs}] }`;
      return writeFile(config, `data: { directory: ${place} }\ndetection: { typologies: [${own}] }\n`);
    };
    // No honest account mines from a place under comprehensive sanctions.
    await write("origin.comprehensive", "fleet.rentalAgent");
    const checked = await assay(["check", "--config", config]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(
      /warning: detection\.typologies partly: origin\.comprehensive is left out/,
    );
  } finally {
    await rm(place, { recursive: true });
  }
});
