import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { createLog } from "./log.ts";
import { serve } from "./service.ts";

/** `assay run`: the service; with no configuration file the demo, clearly marked as one. */
export async function run(args: string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({ args, options: { config: { type: "string" }, port: { type: "string" } } });
  if (values.config === undefined) {
    const { runDemo } = await import("./demo.ts");
    await runDemo(values.port, signal);
    return;
  }
  const config = readConfig(values.config);
  const log = createLog(config.log.level);
  await serve(config, {
    log,
    signal,
    onListening: ({ address, port }) => log("info", "console and API listening", { address, port }),
  });
  log("info", "ended");
}
