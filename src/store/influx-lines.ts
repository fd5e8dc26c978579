import type { Flag } from "#core/flag.ts";
import { type Level, MEASUREMENTS, type MetricRow } from "#core/metrics.ts";

/** Lines of one level, as many as one request carries. */
export interface LineBatch {
  level: Level;
  precision: "ms" | "u";
  points: number;
  text: string;
}

/** Batches of 1000 to 5000 points write fastest into influxd (measured); the bytes keep one request below its limit of 25 MB. */
const BATCH_POINTS = 5_000;
const BATCH_CHARACTERS = 4 * 1024 * 1024;
/** InfluxDB's limit for measurement and tags of a point is 65,535 bytes. A longer point is left out and counted. */
const KEY_BYTES = 60_000;

const TO_ENCODE = /[%\\\p{Cc}\p{Cs}]/gu;

/**
 * A tag value that line protocol can carry and that gives the name back: control characters, the backslash, halves of
 * surrogate pairs and the percent sign itself become `%` and four hexadecimal digits; an empty value is a lone `%`. A
 * newline would forge points, a trailing backslash would swallow the next tag, and an empty tag breaks the batch.
 */
export function encodeName(name: string): string {
  if (name === "") return "%";
  return name.replace(TO_ENCODE, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Gives back what `encodeName` was given. */
export function decodeName(encoded: string): string {
  if (encoded === "%") return "";
  return encoded.replace(/%([0-9a-f]{4})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

const tag = (value: string): string => (isPlain(value) ? value : encodeName(value).replace(/[,= ]/g, "\\$&"));

/** Hot path, for nearly every name is plain: twice as fast as the expressions above, which then need not run. */
function isPlain(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index);
    const needsCare = unit <= 0x20 || unit === 0x25 || unit === 0x2c || unit === 0x3d || unit === 0x5c;
    if (needsCare || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xdfff)) return false;
  }
  return name.length > 0;
}

/** What stands before each value of a measurement's line. */
interface Shape {
  /** In the order of their names: tags in another one InfluxDB has to put in order itself, for every point. */
  tags: { name: string; index: number }[];
  fields: string[];
}

const SHAPES = new Map(
  Object.entries(MEASUREMENTS).map(([name, { tags, sums, lasts }]): [string, Shape] => [
    name,
    {
      tags: tags.map((name, index) => ({ name, index })).sort((a, b) => (a.name < b.name ? -1 : 1)),
      fields: [...sums, ...lasts],
    },
  ]),
);

/** One row as a line. Null: too long, or nothing in it is a number. */
export function formatRow({ measurement: name, tags, bucketMs, values }: MetricRow): string | null {
  const shape = SHAPES.get(name) as Shape;
  let key: string = name;
  for (let at = 0; at < shape.tags.length; at += 1) {
    const { name: tagName, index } = shape.tags[at] as Shape["tags"][number];
    key += `,${tagName}=${tag(tags[index] ?? "")}`;
  }
  if (key.length > KEY_BYTES / 4 && Buffer.byteLength(key) > KEY_BYTES) return null;
  let fields = "";
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    fields += `${fields === "" ? " " : ","}${shape.fields[index]}=${value}`;
  }
  return fields === "" ? null : `${key}${fields} ${bucketMs}\n`;
}

/** Rows as batches, by level, formatted as they are pulled. Rows that cannot be a line are left out and handed to `unfit`. */
export function* formatRows(
  rows: readonly MetricRow[],
  unfit: (row: MetricRow) => void,
): Generator<LineBatch> {
  for (const level of ["1m", "1h"] as const) {
    const start = (): LineBatch => ({ level, precision: "ms", points: 0, text: "" });
    let batch = start();
    for (const row of rows) {
      if (row.level !== level) continue;
      const line = formatRow(row);
      if (line === null) {
        unfit(row);
        continue;
      }
      if (batch.points === BATCH_POINTS || batch.text.length + line.length > BATCH_CHARACTERS) {
        if (batch.points > 0) yield batch;
        batch = start();
      }
      batch.points += 1;
      batch.text += line;
    }
    if (batch.points > 0) yield batch;
  }
}

const text = (value: string): string => `"${value.replace(/["\\]/g, "\\$&").replace(/\p{Cc}/gu, " ")}"`;
const html = (value: string): string => value.replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * A flag as an annotation for charts, linked to its page in the console. Flags of one millisecond keep apart by the
 * microseconds their ids give, so that writing one again replaces it and no other.
 */
export function formatFlag(flag: Flag, consoleUrl: string): LineBatch {
  let apart = 0;
  for (const sign of flag.id) apart = (apart * 31 + sign.charCodeAt(0)) % 1000;
  const link = `${consoleUrl.replace(/\/$/, "")}/flags/${encodeURIComponent(flag.id)}`;
  const title = `${flag.severity}: ${flag.account.slice(0, 100)}`;
  const why = flag.reasons.map((reason) => reason.text).join(" · ");
  const line = [
    `flag_event,kind=${flag.kind},pool=${tag(flag.pool)},severity=${flag.severity} id=${text(flag.id)}`,
    `account=${text(flag.account)}`,
    `state=${text(flag.state)}`,
    `score=${flag.score}`,
    `title=${text(title)}`,
    `text=${text(`${html(why.slice(0, 500))} <a href="${link}">Open in Assay</a>`)}`,
  ].join(",");
  const atUs = Date.parse(flag.openedAt) * 1000 + apart;
  return { level: "1h", precision: "u", points: 1, text: `${line} ${atUs}\n` };
}
