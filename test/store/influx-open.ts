import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";
import { type InfluxOptions, openInflux } from "../../src/store/influx.ts";
import { prepareInflux } from "../../src/store/influx-admin.ts";
import { influxClient } from "../../src/store/influx-query.ts";
import { temporary } from "./temporary.ts";

/** A store on a running influxd, its database made; `end` stops its task and closes it. */
export async function openTestInflux(
  url: string,
  changes: Partial<InfluxOptions> = {},
  directory = temporary(),
) {
  const logged: string[] = [];
  const options: InfluxOptions = {
    url,
    database: "assay",
    version: 1,
    // Tests write into the past, and expiry is told apart elsewhere.
    rawDays: 36_500,
    hourDays: 36_500,
    spoolDirectory: join(directory, "spool"),
    spoolBytes: 50_000_000,
    maxAccountSeries: 20_000,
    consoleUrl: "http://127.0.0.1:7070",
    sleep: (delayMs, signal) => timer(Math.min(delayMs, 50), undefined, { signal }).catch(() => {}),
    log: (level, message) => void logged.push(`${level}: ${message}`),
    ...changes,
  };
  const store = await openInflux(options);
  const client = influxClient(options);
  if (options.version === 1) await prepareInflux(client, options, options).catch(() => {});
  const ending = new AbortController();
  const running = store.run(ending.signal);
  return {
    store,
    options,
    client,
    logged,
    async end() {
      ending.abort();
      await running;
      await store.close();
    },
  };
}
