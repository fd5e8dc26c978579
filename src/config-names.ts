import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import { type Description, TYPOLOGIES } from "#core/typologies.ts";

/** The journal's reader keeps its place beside the collectors'. */
const TAKEN = "journal";

/** Mistakes about names: a collector's place is kept under its name, so two of one name would lose each other's. */
export function nameMistakes(collectors: object): string[] {
  const owners = new Map([[TAKEN, "Assay itself"]]);
  const mistakes: string[] = [];
  for (const [kind, sections] of Object.entries(collectors) as [string, unknown][]) {
    if (!Array.isArray(sections)) continue;
    for (const [index, { name }] of (sections as { name: string }[]).entries()) {
      const place = `collectors.${kind}[${index}]`;
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, place);
      else mistakes.push(`${place}.name: ${name} is the name of ${owner} already`);
    }
  }
  return mistakes;
}

/** Lists are kept in folders of their own: two of one name would overwrite each other. */
export function listMistakes(place: string, lists: readonly { name: string }[]): string[] {
  return repeated(lists.map(({ name }) => name)).map(
    ([index, name]) => `${place}[${index}].name: ${name} is the name of another list already`,
  );
}

/** One database a role, fetched or in a file. */
export function databaseMistakes(
  origin: { databases: readonly { role: string }[] } & Partial<Record<string, unknown>>,
): string[] {
  const roles = origin.databases.map(({ role }) => role);
  return [
    ...repeated(roles).map(([index, role]) => `origin.databases[${index}].role: ${role} is fetched already`),
    ...roles.flatMap((role, index) =>
      origin[role] === undefined
        ? []
        : [`origin.databases[${index}].role: origin.${role} names a file already`],
    ),
  ];
}

/** Mistakes of described typologies: a name is one typology's, and a flag needs two families that agree. */
export function typologyMistakes(typologies: readonly Description[]): string[] {
  const place = (index: number) => `detection.typologies[${index}]`;
  const own = typologies.map(({ name }) => name);
  const familyOf = ({ feature }: { feature: string }) =>
    FEATURES[FEATURE_INDEX.get(feature) as number]?.family;
  return [
    ...repeated(own).map(
      ([index, name]) => `${place(index)}.name: ${name} is the name of another typology already`,
    ),
    ...typologies.flatMap(({ name, signs }, index) => [
      ...(TYPOLOGIES.some((known) => known.name === name)
        ? [`${place(index)}.name: ${name} is a typology that Assay knows`]
        : []),
      ...repeated(signs.map(({ feature }) => feature)).map(
        ([at, feature]) => `${place(index)}.signs[${at}].feature: ${feature} is a sign already`,
      ),
      ...(new Set(signs.map(familyOf)).size < 2
        ? [`${place(index)}.signs: all of one family; a flag needs two that agree`]
        : []),
    ]),
  ];
}

function repeated(values: readonly string[]): [index: number, value: string][] {
  return [...values.entries()].filter(([index, value]) => values.indexOf(value) < index);
}
