import { pino } from "pino";
import type { Log } from "#core/log.ts";

/** One JSON object a line on standard error. */
export function createLog(level: "debug" | "info" | "warn" | "error"): Log {
  const logger = pino({ level, base: undefined }, pino.destination({ dest: 2, sync: false }));
  return (at, message, fields = {}) => logger[at](fields, message);
}
