import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Figure } from "./figure.ts";

const HELPERS = new Set(["main", "figure"]);
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .filter((name) => !HELPERS.has(name));

const { values, positionals } = parseArgs({ options: { json: { type: "boolean" } }, allowPositionals: true });
const unknown = positionals.filter((name) => !names.includes(name));
if (positionals.length === 0 || unknown.length > 0) {
  process.stderr.write(`usage: npm run bench -- NAME… [--json]\nbenchmarks: ${names.join(", ")}\n`);
  process.exit(2);
}

const short = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);

for (const bench of positionals) {
  const { run } = (await import(`./${bench}.ts`)) as { run: () => AsyncIterable<Figure> };
  if (!values.json)
    console.log(
      `${bench}\n${"figure".padEnd(36)}${"value".padStart(14)}  ${"unit".padEnd(18)}${"peer".padEnd(22)}${"peer value".padStart(14)}${"ratio".padStart(9)}`,
    );
  for await (const figure of run()) {
    if (values.json) console.log(JSON.stringify({ bench, ...figure }));
    else {
      const { figure: name, value, unit, peer = "", peerValue, ratio } = figure;
      const beside = peerValue === undefined ? "" : short(peerValue);
      console.log(
        `${name.padEnd(36)}${short(value).padStart(14)}  ${unit.padEnd(18)}${peer.padEnd(22)}${beside.padStart(14)}${(ratio === undefined ? "" : ratio.toFixed(2)).padStart(9)}`,
      );
    }
  }
}
