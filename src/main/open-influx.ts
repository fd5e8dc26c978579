import { join } from "node:path";
import type { Config } from "../config.ts";
import { type InfluxOptions, type InfluxStore, openInflux } from "../store/influx.ts";
import { sleep } from "./sleep.ts";

const MAX_ACCOUNT_SERIES = 20_000;

/** Opens the configured follower of the embedded store, its spool in the data directory. Whoever opens it closes it. */
export async function openFollower(
  { data, store }: Config,
  log: InfluxOptions["log"],
): Promise<InfluxStore | undefined> {
  const { influx, rawDays, hourDays } = store;
  if (!influx) return undefined;
  return openInflux({
    ...influx,
    rawDays,
    hourDays,
    spoolDirectory: join(data.directory, "influx-spool"),
    maxAccountSeries: MAX_ACCOUNT_SERIES,
    consoleUrl: influx.console,
    sleep,
    log,
  });
}
