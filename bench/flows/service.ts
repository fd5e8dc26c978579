import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { cpuSecondsOf, freePort, type Receiver } from "./receivers.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

/** The whole service, where flows pass the journal, the join and the analysis before they are summed. */
export async function startService(): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), "assay-bench-"));
  const [port, httpPort] = [await freePort(), await freePort()];
  const config = join(folder, "assay.yaml");
  await writeFile(
    config,
    `data: { directory: ${join(folder, "data")} }
http: { port: ${httpPort} }
collectors: { flows: [{ name: flows, listen: { host: 127.0.0.1, port: ${port} }, exporters: [127.0.0.1] }] }
`,
  );
  const child = spawn(process.execPath, [MAIN, "run", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let output = "";
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  while (!output.includes("flows listening") || !output.includes("API listening")) await setTimeout(50);
  /** Flows that came out of the journal again. */
  const taken = async () => {
    const text = await fetch(`http://127.0.0.1:${httpPort}/metrics`).then((answer) => answer.text());
    return Number(/^assay_observations_total\{collector="journal"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    async settled() {
      for (let before = -1, now = await taken(); now !== before; now = await taken()) {
        before = now;
        await setTimeout(1000);
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      const file = join(folder, "data/metrics.db");
      const metrics = await openMetrics({ file, rawDays: 7, hourDays: 400 });
      const toMs = Number.MAX_SAFE_INTEGER;
      const rows = await metrics.query({ measurement: "flow", level: "1m", fromMs: 0, toMs });
      await metrics.close();
      await rm(folder, { recursive: true });
      return rows.reduce((sum, { values }) => sum + values[0]!, 0);
    },
  };
}
