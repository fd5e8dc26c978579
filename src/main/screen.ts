import { isIP } from "node:net";
import { parseArgs } from "node:util";
import type { Subject } from "#core/screening.ts";
import { parseConfig, readConfig } from "../config.ts";
import { openParts } from "./parts.ts";
import { UsageError } from "./usage.ts";

/** `assay screen VALUE…`: what is known of each value, from which list version; one JSON object a line when piped. */
export async function screen(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: "string" } },
  });
  if (positionals.length === 0) throw new UsageError("screen: no VALUE given");
  const config = values.config === undefined ? parseConfig("") : readConfig(values.config);
  const { origin, screening } = await openParts(config);
  const nowMs = Date.now();
  for (const value of positionals) {
    const subject = subjectOf(value);
    const answer = screening.screen(subject, value, nowMs);
    const place = subject === "network" && isIP(value) ? origin.lookUp(value, nowMs) : undefined;
    if (!process.stdout.isTTY) {
      process.stdout.write(`${JSON.stringify({ ...answer, ...(place ? { origin: place } : {}) })}\n`);
      continue;
    }
    const verdict =
      answer.matches.length === 0
        ? "no match"
        : answer.matches
            .map(({ list, entry, note }) => `${list.name} ${list.version}: ${entry} ${note}`)
            .join("\n  ");
    process.stdout.write(`${value} (${subject})\n  ${verdict}\n`);
    if (place) {
      process.stdout.write(
        `  ${place.country} ${place.region} AS${place.asn} ${place.holder} ${place.kind}, tier ${place.tier}\n`,
      );
      for (const { fact, value: said, source } of place.facts)
        process.stdout.write(`    ${fact} ${said}  (${source})\n`);
    }
    process.stdout.write(
      `  against ${answer.lists.map(({ name, version }) => `${name} ${version}`).join(", ")}\n`,
    );
  }
}

function subjectOf(value: string): Subject {
  if (isIP(value) !== 0 || /^AS\d+$/i.test(value)) return "network";
  if (/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(value)) return "region";
  return /\s/.test(value.trim()) ? "name" : "address";
}
