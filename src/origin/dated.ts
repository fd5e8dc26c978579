import { createHash } from "node:crypto";
import { z } from "zod";

/** Holds from the first instant, and no longer at the second. */
export interface Period {
  fromMs: number;
  untilMs: number;
}

/** All of time. */
export const ALWAYS: Period = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };

const date = z.iso.date().nullish();
/** The dates every row of a table carries: UTC days, the last one not included; null is open. */
export const periodShape = { validFrom: date, validUntil: date };

/** Reads the dates of a row. */
export function period(row: { validFrom?: string | null; validUntil?: string | null }): Period {
  return {
    fromMs: row.validFrom ? Date.parse(row.validFrom) : ALWAYS.fromMs,
    untilMs: row.validUntil ? Date.parse(row.validUntil) : ALWAYS.untilMs,
  };
}

/** True when `atMs` lies within. */
export function holds({ fromMs, untilMs }: Period, atMs: number): boolean {
  return fromMs <= atMs && atMs < untilMs;
}

/**
 * Shrinks `known` to the stretch around `atMs` over which `row` neither starts nor ends, so that an answer computed
 * for `atMs` can be given again for every instant of what remains.
 */
export function narrow(known: Period, row: Period, atMs: number): void {
  for (const edge of [row.fromMs, row.untilMs]) {
    if (edge <= atMs) known.fromMs = Math.max(known.fromMs, edge);
    else known.untilMs = Math.min(known.untilMs, edge);
  }
}

/** The instants at which a row starts or ends to hold; none for what holds always. */
export function edgesOf(rows: readonly Period[]): number[] {
  return rows.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]).filter(Number.isFinite);
}

/** A configuration or data file that does not hold: the file and every mistake in it. */
export class TableError extends Error {
  override name = "TableError";
  readonly mistakes: readonly string[];
  constructor(file: string, mistakes: readonly string[]) {
    super(
      `${file}: ${mistakes.slice(0, 20).join("; ")}${mistakes.length > 20 ? `; and ${mistakes.length - 20} more` : ""}`,
    );
    this.mistakes = mistakes;
  }
}

/** What tells two contents of a table apart, whatever version they give themselves: 12 digits of the SHA-256. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Parses a JSON text by a schema. Throws a TableError that lists every mistake with its place. */
export function readTable<T extends z.ZodType>(file: string, text: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TableError(file, [`not JSON: ${(error as Error).message}`]);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TableError(
    file,
    parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`),
  );
}
