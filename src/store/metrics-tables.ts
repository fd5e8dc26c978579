import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { type Level, MEASUREMENTS, type Measurement, type MeasurementName } from "#core/metrics.ts";

/** The prepared statements of one measurement at one level. `ts` is the bucket's start in milliseconds. */
interface LevelTable {
  /** Adds sums, keeps the newest last values; answers the row as it is then. */
  add: StatementSync;
  /** Puts an absolute row in place of what was there. */
  put: StatementSync;
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
  };
}

/**
 * Rows are clustered by (ts, series) and have no other index: measured at 10 M rows, a secondary index makes inserts
 * sixteen times slower and misleads the planner. Beside each last value stands the minute it was taken in, so that a
 * late minute does not replace a newer one in its hour.
 */
function levelTable(
  db: DatabaseSync,
  name: MeasurementName,
  { sums, lasts }: Measurement,
  level: Level,
): LevelTable {
  const table = `${name}_${level}`;
  const at = lasts.map((last) => column(`${last}_at`));
  const columns = ["ts", "series", ...sums.map(column), ...lasts.map(column), ...at];
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
  const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
    ON CONFLICT DO UPDATE SET`;
  const added = [
    ...sums.map(column).map((sum) => `${sum} = ${sum} + excluded.${sum}`),
    ...lasts.flatMap((last, index) => {
      const newer = `excluded.${column(last)} IS NOT NULL AND (${column(last)} IS NULL OR excluded.${at[index]} >= ${at[index]})`;
      return [column(last), at[index]].map(
        (target) => `${target} = CASE WHEN ${newer} THEN excluded.${target} ELSE ${target} END`,
      );
    }),
  ];
  const add = db.prepare(
    `${insert} ${added.join(", ")} RETURNING ${[...sums, ...lasts].map(column).join(", ")}`,
  );
  add.setReturnArrays(true);
  return {
    add,
    put: db.prepare(
      `${insert} ${columns
        .slice(2)
        .map((target) => `${target} = excluded.${target}`)
        .join(", ")}`,
    ),
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
