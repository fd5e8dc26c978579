import { MAX_TEXT } from "#core/observation.ts";

/**
 * One JSON-RPC message of any stratum dialect, loosely: pools and miners differ in which members they send. `id` is
 * the text of a string or number, null when absent, null or anything else.
 */
export interface Message {
  id: string | null;
  method: string | null;
  params: unknown;
  result: unknown;
  error: unknown;
  /** The parsed object itself, for the members that only one dialect has. */
  body: Record<string, unknown>;
}

/** Reads one line. Null: not a JSON object. Never throws. */
export function readMessage(line: string): Message | null {
  let body: unknown;
  try {
    body = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(body)) return null;
  const method = typeof body.method === "string" && body.method.length <= MAX_TEXT ? body.method : null;
  return { id: readId(body.id), method, params: body.params, result: body.result, error: body.error, body };
}

/** True for a JSON object, false for arrays and null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string or number as text of at most MAX_TEXT units; anything else is null. Used for message and job ids. */
export function readId(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.length <= MAX_TEXT ? value : null;
}
