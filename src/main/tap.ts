import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runAll } from "#core/task.ts";
import { handOver } from "../../collectors/stratum/hand-over.ts";
import { ConfigError, readConfig } from "../config.ts";
import { createLog } from "./log.ts";
import { openTap } from "./open-tap.ts";
import { UsageError } from "./usage.ts";

/** `assay tap`: the stratum taps as a process of their own, whose observations wait on disk while the service is away. */
export async function tap(args: string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({ args, options: { config: { type: "string" } } });
  if (values.config === undefined) throw new UsageError("tap: --config FILE is needed");
  const config = readConfig(values.config);
  if (config.collectors.tap.length === 0) throw new ConfigError(["collectors.tap: no tap is configured"]);
  const log = createLog(config.log.level);
  const tasks = await Promise.all(
    config.collectors.tap.map(async (section) => {
      const directory = join(config.data.directory, "spool", section.name);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const collector = openTap(section, log);
      const { url, token, spoolBytes } = config.handOver;
      return handOver({
        collector,
        url,
        ...(token === undefined ? {} : { token }),
        directory,
        spoolBytes,
        log,
      });
    }),
  );
  await runAll(tasks, signal);
  log("info", "ended");
}
