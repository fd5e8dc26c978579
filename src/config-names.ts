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
