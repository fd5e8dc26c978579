import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { type Level, MEASUREMENTS, type Measurement, type MeasurementName } from "#core/metrics.ts";

/** The prepared statements of one measurement at one level. `ts` is the bucket's start in milliseconds. */
interface LevelTable {
  /** Adds sums, keeps the newest last values; answers the row as it is then. */
  add: StatementSync;
  /** Puts an absolute row in place of what was there. */
  put: StatementSync;
  /** First tag values of the series that have a row in a bucket. */
  owners: StatementSync;
  prune: StatementSync;
  bounds: StatementSync;
}

/** One measurement's tables: a dictionary of its series and one table a level. */
export interface MeasurementTables {
  name: MeasurementName;
  measurement: Measurement;
  /** The series of these tag values; it is created where it is new. */
  series(tags: readonly string[]): number;
  levels: Record<Level, LevelTable>;
  /** Forgets an hour of the series with this first tag value; then adds it up anew from its minutes. */
  hour: { drop: StatementSync; sum: StatementSync };
}

/** All statements that change metrics, generated from MEASUREMENTS. */
export function metricTables(db: DatabaseSync): Map<MeasurementName, MeasurementTables> {
  const names = Object.keys(MEASUREMENTS) as MeasurementName[];
  return new Map(names.map((name) => [name, measurementTables(db, name)]));
}

/** Quotes a name from MEASUREMENTS; nothing that came from outside is ever part of a statement's text. */
export const column = (name: string): string => `"${name}"`;

function measurementTables(db: DatabaseSync, name: MeasurementName): MeasurementTables {
  const measurement: Measurement = MEASUREMENTS[name];
  const tags = measurement.tags.map(column);
  db.exec(`CREATE TABLE IF NOT EXISTS ${name}_series (
    id INTEGER PRIMARY KEY, ${tags.map((tag) => `${tag} TEXT NOT NULL`).join(", ")}, UNIQUE (${tags.join(", ")})
  ) STRICT`);
  const find = db.prepare(
    `SELECT id FROM ${name}_series WHERE ${tags.map((tag) => `${tag} = ?`).join(" AND ")}`,
  );
  const create = db.prepare(
    `INSERT INTO ${name}_series (${tags.join(", ")}) VALUES (${tags.map(() => "?").join(", ")})`,
  );
  return {
    name,
    measurement,
    series: (values) => {
      const found = find.get(...values);
      return Number(found ? found.id : create.run(...values).lastInsertRowid);
    },
    levels: { "1m": levelTable(db, name, measurement, "1m"), "1h": levelTable(db, name, measurement, "1h") },
    hour: hourStatements(db, name, measurement),
  };
}

/** In the order of time, so that of last values the newest minute's counts. */
function hourStatements(db: DatabaseSync, name: MeasurementName, measurement: Measurement) {
  const own = `FROM ${name}_series WHERE ${column(measurement.tags[0] as string)} = ?`;
  const values = columnsOf(measurement).slice(2).join(", ");
  return {
    drop: db.prepare(`DELETE FROM ${name}_1h WHERE ts = ? AND series IN (SELECT id ${own})`),
    sum: db.prepare(`INSERT INTO ${name}_1h (ts, series, ${values}) SELECT ?, series, ${values} FROM ${name}_1m
      WHERE ts >= ? AND ts < ? AND series IN (SELECT id ${own}) ORDER BY ts ${adding(measurement)}`),
  };
}

const atOf = (last: string): string => column(`${last}_at`);

/** Bucket, series, sums, lasts, and the minute of each last. */
const columnsOf = ({ sums, lasts }: Measurement): string[] => [
  "ts",
  "series",
  ...sums.map(column),
  ...lasts.map(column),
  ...lasts.map(atOf),
];

/** What an insertion does where the bucket has a row: sums add up, the newest last value stays. */
function adding({ sums, lasts }: Measurement): string {
  const added = [
    ...sums.map(column).map((sum) => `${sum} = ${sum} + excluded.${sum}`),
    ...lasts.flatMap((last) => {
      const newer = `excluded.${column(last)} IS NOT NULL AND (${column(last)} IS NULL OR excluded.${atOf(last)} >= ${atOf(last)})`;
      return [column(last), atOf(last)].map(
        (target) => `${target} = CASE WHEN ${newer} THEN excluded.${target} ELSE ${target} END`,
      );
    }),
  ];
  return `ON CONFLICT DO UPDATE SET ${added.join(", ")}`;
}

/**
 * Rows are clustered by (ts, series) and have no other index: measured at 10 M rows, a secondary index makes inserts
 * sixteen times slower and misleads the planner. Beside each last value stands the minute it was taken in, so that a
 * late minute does not replace a newer one in its hour.
 */
function levelTable(
  db: DatabaseSync,
  name: MeasurementName,
  measurement: Measurement,
  level: Level,
): LevelTable {
  const { tags, sums, lasts } = measurement;
  const table = `${name}_${level}`;
  const at = lasts.map(atOf);
  const columns = columnsOf(measurement);
  db.exec(`CREATE TABLE IF NOT EXISTS ${table} (ts INTEGER NOT NULL, series INTEGER NOT NULL,
    ${[
      ...sums.map((sum) => `${column(sum)} REAL NOT NULL`),
      ...lasts.map((last) => `${column(last)} REAL`),
      ...at.map((place) => `${place} INTEGER NOT NULL`),
      "PRIMARY KEY (ts, series)",
    ].join(", ")}) STRICT, WITHOUT ROWID`);
  const present = new Set(
    db
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map((row) => row.name),
  );
  // A store of an older Assay lacks what was measured since: nothing, until now.
  for (const [list, type] of [
    [sums, "REAL NOT NULL DEFAULT 0"],
    [lasts, "REAL"],
    [lasts.map((last) => `${last}_at`), "INTEGER NOT NULL DEFAULT 0"],
  ] as const) {
    for (const target of list.filter((wanted) => !present.has(wanted))) {
      db.exec(`ALTER TABLE ${table} ADD COLUMN ${column(target)} ${type}`);
    }
  }
  const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
  const add = db.prepare(
    `${insert} ${adding(measurement)} RETURNING ${[...sums, ...lasts].map(column).join(", ")}`,
  );
  add.setReturnArrays(true);
  return {
    add,
    put: db.prepare(
      `${insert} ON CONFLICT DO UPDATE SET ${columns
        .slice(2)
        .map((target) => `${target} = excluded.${target}`)
        .join(", ")}`,
    ),
    // CROSS JOIN fixes the order of the loops: the primary key starts with the bucket.
    owners: db.prepare(`SELECT DISTINCT s.${column(tags[0] as string)} AS owner FROM ${table} d
      CROSS JOIN ${name}_series s ON s.id = d.series WHERE d.ts = ?`),
    prune: db.prepare(`DELETE FROM ${table} WHERE ts < ?`),
    bounds: db.prepare(`SELECT min(ts) AS first, max(ts) AS last FROM ${table}`),
  };
}

/** A row's parameters: bucket, series, sums, lasts (NaN is kept as NULL), the minutes of the lasts (`lastMs` runs beside `values`). */
export function parameters(
  measurement: Measurement,
  row: { bucketMs: number; series: number; values: readonly number[]; lastMs: readonly number[] | number },
): SQLInputValue[] {
  const { sums, lasts } = measurement;
  const all: SQLInputValue[] = [row.bucketMs, row.series];
  for (let index = 0; index < sums.length + lasts.length; index += 1) {
    const value = row.values[index] ?? Number.NaN;
    // NOT NULL stops a sum that is NaN: a broken invariant, and no figure may come of it.
    all.push(Number.isNaN(value) ? null : value);
  }
  for (let index = 0; index < lasts.length; index += 1) {
    all.push(typeof row.lastMs === "number" ? row.lastMs : (row.lastMs[sums.length + index] ?? 0));
  }
  return all;
}
