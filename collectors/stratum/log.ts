/** Where a component says what happened; levels by consequence, as CONTRIBUTING.md explains. */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;
