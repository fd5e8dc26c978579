import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Holds a data directory for this process: two that wrote the same journal would destroy it. The lock is SQLite's on
 * a file of its own, so the system gives it back however the process ends.
 */
export function lockDirectory(directory: string): { release: () => void } {
  const database = new DatabaseSync(join(directory, "lock"));
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new Error(`${directory}: another Assay is running on this data directory`, { cause });
  }
  return { release: () => database.close() };
}
