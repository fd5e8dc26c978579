import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { sendTest } from "../deliver/deliver.ts";
import { webhook } from "../deliver/webhook.ts";
import { openOps } from "../store/ops-sqlite.ts";
import { UsageError } from "./usage.ts";

/** `assay alert test [DESTINATION]`: one marked test delivery to each destination, or to the named one. */
export async function alert(args: string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: "string", default: "assay.yaml" } },
  });
  const [action, wanted] = positionals;
  if (action !== "test") throw new UsageError("alert: the only action is `alert test [DESTINATION]`");
  const config = readConfig(values.config);
  const hooks = config.deliver.webhooks.filter(({ name }) => wanted === undefined || name === wanted);
  if (hooks.length === 0) {
    const names = config.deliver.webhooks.map(({ name }) => name).join(", ") || "none";
    throw new UsageError(
      wanted === undefined
        ? "alert: no destination is configured"
        : `alert: no destination "${wanted}"; configured: ${names}`,
    );
  }
  await mkdir(config.data.directory, { recursive: true, mode: 0o700 });
  const ops = await openOps({ file: join(config.data.directory, "ops.db") });
  const failed: string[] = [];
  try {
    for (const hook of hooks) {
      const outcome = await sendTest({ ops, destination: webhook(hook), now: Date.now, signal });
      const why = outcome.outcome === "delivered" ? "" : `: ${outcome.reason}`;
      process.stdout.write(`${hook.name}: ${outcome.outcome}${why}\n`);
      if (outcome.outcome !== "delivered") failed.push(hook.name);
    }
  } finally {
    await ops.close();
  }
  if (failed.length > 0) throw new Error(`not delivered: ${failed.join(", ")}`);
}
