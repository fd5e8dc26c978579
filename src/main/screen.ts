import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { parseConfig, readConfig } from "../config.ts";
import { describeScreening, screenAny } from "../screening/ask.ts";
import { openParts } from "./parts.ts";
import { UsageError } from "./usage.ts";

/** `assay screen VALUE…`: what is known of each value, from which list version; JSON lines when piped. */
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
    const place = isIP(value) === 0 ? undefined : origin.lookUp(value, nowMs);
    for (const answer of screenAny(screening.screen, value, nowMs)) {
      if (process.stdout.isTTY) process.stdout.write(`${describeScreening(answer).join("\n")}\n`);
      else process.stdout.write(`${JSON.stringify({ ...answer, ...(place ? { origin: place } : {}) })}\n`);
    }
    if (!place || !process.stdout.isTTY) continue;
    const { country, region, asn, holder, kind, tier, confidence, facts } = place;
    process.stdout.write(
      `  ${[country, region].filter(Boolean).join(" ")}, AS${asn} ${holder}, ${kind}, tier ${tier}, confidence ${confidence}\n`,
    );
    for (const { fact, value: said, source } of facts)
      process.stdout.write(`    ${fact}: ${said} (${source})\n`);
  }
}
