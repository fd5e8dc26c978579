import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";

/** True when the tests of a real InfluxDB can run. Where services are required they run in any case, and fail without it. */
export const hasInfluxd = (): boolean =>
  process.env.ASSAY_REQUIRE_SERVICES === "1" || spawnSync("influxd", ["version"]).status === 0;

export const WITHOUT_INFLUXD = "influxd is not installed (Debian: influxdb)";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A real InfluxDB 1.x on a free loopback port, with its data in a directory of its own. Whoever starts it closes it. */
export async function startInfluxd() {
  const directory = mkdtempSync(join(tmpdir(), "assay-influxd-"));
  const port = await freePort();
  const rpc = await freePort();
  const file = join(directory, "influxd.conf");
  writeFileSync(
    file,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${directory}/meta"
[data]
  dir = "${directory}/data"
  wal-dir = "${directory}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[logging]
  level = "error"
`,
  );
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn("influxd", ["-config", file], { stdio: "ignore" });
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    server = child;
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
      const up = fetch(`${url}/ping`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (await Promise.race([up, failed])) return;
      await Promise.race([timer(20), failed]);
    }
    throw new Error("influxd did not come up");
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    url,
    start,
    kill,
    async close() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
