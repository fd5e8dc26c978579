import type { InfluxDB } from "influx";
import { type InfluxAddress, place } from "./influx-write.ts";

/** How many days InfluxDB keeps each level. */
export interface Retention {
  rawDays: number;
  hourDays: number;
}

/**
 * Creates the database and its retention policies, or brings them to these durations. Only 1.x can be told so by its
 * v1 endpoints; docs/grafana.md has the commands for 2.x and 3. Rejects when the server is away or refuses.
 */
export async function prepareInflux(
  client: InfluxDB,
  { database, version }: InfluxAddress,
  { rawDays, hourDays }: Retention,
): Promise<void> {
  if (version !== 1) return;
  await client.createDatabase(database);
  const present = new Set([...(await client.showRetentionPolicies(database))].map(({ name }) => name));
  for (const [level, days] of [
    ["1m", rawDays],
    ["1h", hourDays],
  ] as const) {
    const policy = { database, duration: `${days}d`, replication: 1, isDefault: level === "1m" };
    if (present.has(level)) await client.alterRetentionPolicy(level, policy);
    else await client.createRetentionPolicy(level, policy);
  }
}

/** What keeps this InfluxDB from being used, as sentences; none: all is well. Changes nothing. */
export async function checkInflux(client: InfluxDB, address: InfluxAddress): Promise<string[]> {
  const mistakes: string[] = [];
  for (const level of ["1m", "1h"] as const) {
    const { db, rp } = place(address, level);
    try {
      await client.query('SELECT count("shares") FROM "hashrate" WHERE time > now() - 1m', {
        database: db,
        ...(rp !== undefined && { retentionPolicy: rp }),
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Assay creates what is missing on 1.x when it starts.
      if (address.version === 1 && /database not found|retention policy not found/.test(message)) continue;
      const where = `InfluxDB ${address.url}, ${db}${rp ? `, retention policy ${rp}` : ""}`;
      mistakes.push(`${where}: ${code ?? message}${adviceOn(code ?? message, address.version, { db, rp })}`);
    }
  }
  return mistakes;
}

/** What to do about it, by version. */
function adviceOn(reason: string, version: InfluxAddress["version"], { db, rp }: ReturnType<typeof place>) {
  if (/^E[A-Z]+$|No host available/.test(reason)) return "; is it running there?";
  if (/\b40[13]\b|unauthori[sz]ed|authorization/i.test(reason))
    return version === 1
      ? "; look at username and password"
      : "; the password must be a token that may read and write";
  if (version === 2)
    return `; is a bucket mapped to it? influx v1 dbrp create --db ${db} --rp ${rp} --bucket-id …`;
  return version === 3 ? `; is it there? influxdb3 create database ${db}` : "";
}
