import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { createClient } from "@redis/client";

export const hasRedis = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].some((path) =>
  existsSync(path),
);

/** A Redis server of its own on a free loopback port, without anything kept on disk. */
export async function startRedis() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"],
    { stdio: "ignore" },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: (tries) => (tries > 200 ? false : 25) } });
  client.on("error", () => undefined);
  await client.connect();
  return {
    url,
    client,
    stop: async () => {
      client.destroy();
      const exited = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await exited;
    },
  };
}
