import { InfluxDB, type IPoolOptions } from "influx";
import {
  HOUR_MS,
  MEASUREMENTS,
  type Measurement,
  type MetricQuery,
  type MetricRow,
  MINUTE_MS,
} from "#core/metrics.ts";
import { decodeName, encodeName } from "./influx-lines.ts";
import { authorizationOf, type InfluxAddress, place } from "./influx-write.ts";

const TIMEOUT_MS = 30_000;

/** The client would not ask a server that failed again for up to ten seconds. There is no other, and this one may be back. */
const AT_ONCE: NonNullable<IPoolOptions["backoff"]> = {
  getDelay: () => 0,
  next: () => AT_ONCE,
  reset: () => AT_ONCE,
};

/** The client for queries and administration. Points never go through it: a name with a newline in it would forge some. */
export function influxClient(address: InfluxAddress): InfluxDB {
  const { hostname, port, protocol, pathname } = new URL(address.url);
  const authorization = authorizationOf(address);
  return new InfluxDB({
    host: hostname,
    port: Number(port || (protocol === "https:" ? 443 : 80)),
    protocol: protocol === "https:" ? "https" : "http",
    path: pathname.replace(/\/$/, ""),
    database: address.database,
    // Undefined would become root:root, and go before our header.
    username: null as never,
    ...(authorization !== undefined && { options: { headers: { authorization } } }),
    pool: { requestTimeout: TIMEOUT_MS, maxRetries: 0, backoff: AT_ONCE },
  });
}

/** Answers as the embedded store does: names are looked up in MEASUREMENTS, values go as placeholders. */
export async function queryInflux(
  client: InfluxDB,
  address: InfluxAddress,
  { measurement: name, level, fromMs, toMs, by = [], where = {} }: MetricQuery,
): Promise<MetricRow[]> {
  const measurement: Measurement | undefined = MEASUREMENTS[name];
  if (!measurement) throw new Error(`no measurement named ${name}`);
  const filters = Object.entries(where).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const tag of [...by, ...filters.map(([tag]) => tag)]) {
    if (!measurement.tags.includes(tag)) throw new Error(`${name} has no tag named ${tag}`);
  }
  const widthMs = level === "1m" ? MINUTE_MS : HOUR_MS;
  // A bucket counts when it starts in [fromMs, toMs).
  const from = Math.ceil(fromMs / widthMs) * widthMs;
  if (!(from < toMs)) return [];
  const columns = [...measurement.sums, ...measurement.lasts];
  const fields = columns.map((column, index) => {
    const aggregate = index < measurement.sums.length ? "sum" : "max";
    return `${aggregate}("${column}") AS "${column}"`;
  });
  const matching = filters.map(([tag], index) => ` AND "${tag}" = $tag${index}`).join("");
  const groups = [`time(${level})`, ...by.map((tag) => `"${tag}"`)].join(", ");
  // Times are numbers of our own making; InfluxQL takes no placeholder for a duration literal.
  const question = `SELECT ${fields.join(", ")} FROM "${name}"
    WHERE time >= ${from}ms AND time < ${Math.ceil(toMs)}ms${matching} GROUP BY ${groups} fill(none)`;
  const { db, rp } = place(address, level);
  const results = await client.query<Record<string, unknown> & { time: Date }>(question, {
    database: db,
    ...(rp !== undefined && { retentionPolicy: rp }),
    placeholders: Object.fromEntries(filters.map(([, value], index) => [`tag${index}`, encodeName(value)])),
    precision: "ms",
    method: "POST",
  });
  const rows = results.groups().flatMap(({ tags, rows: group }) =>
    group.map((row) => ({
      measurement: name,
      level,
      bucketMs: row.time.getTime(),
      tags: by.map((tag) => decodeName((tags as Record<string, string>)[tag] ?? "")),
      values: columns.map((column) => (typeof row[column] === "number" ? row[column] : Number.NaN)),
    })),
  );
  return rows.sort((a, b) => a.bucketMs - b.bucketMs || compareTags(a.tags, b.tags));
}

/** By bytes of UTF-8, as SQLite orders text. */
function compareTags(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < a.length; index += 1) {
    const order = Buffer.compare(Buffer.from(a[index] ?? ""), Buffer.from(b[index] ?? ""));
    if (order !== 0) return order;
  }
  return 0;
}
