/**
 * Where a component says what happened. WARN: nothing was lost. ERROR: an operator must act. INFO: the state changed.
 * DEBUG: the rest. A miner's text goes into `fields`, never into the message.
 */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;
