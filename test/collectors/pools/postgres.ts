import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import pg from "pg";

const BIN = "/usr/lib/postgresql/15/bin";
export const hasPostgres = existsSync(join(BIN, "initdb"));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A PostgreSQL server of its own on a free loopback port; it refuses to run as root, so root becomes `postgres`. */
export async function startPostgres() {
  const directory = mkdtempSync(join(tmpdir(), "assay-postgres-"));
  const isRoot = userInfo().uid === 0;
  if (isRoot) execFileSync("chown", ["postgres", directory]);
  const command = (program: string, args: string[]): [string, string[]] =>
    isRoot ? ["runuser", ["-u", "postgres", "--", join(BIN, program), ...args]] : [join(BIN, program), args];
  const data = join(directory, "data");
  execFileSync(...command("initdb", ["-D", data, "-A", "trust", "-U", "pool", "--no-sync"]), {
    stdio: "pipe",
  });
  const port = await freePort();
  const settings = [
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `port=${port}`,
    "-c",
    "fsync=off",
    "-c",
    `unix_socket_directories=${directory}`,
  ];
  const server = spawn(...command("postgres", ["-D", data, ...settings]), { stdio: "ignore" });
  const exited = new Promise((resolve) => server.once("exit", resolve));
  const url = `postgres://pool@127.0.0.1:${port}/postgres`;
  const client = await connected(url);
  return {
    url,
    client,
    async stop() {
      await client.end();
      // The postmaster itself, not the runuser in front of it: SIGQUIT ends it at once.
      const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
      process.kill(pid, "SIGQUIT");
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function connected(url: string): Promise<pg.Client> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return client;
    } catch (cause) {
      await client.end().catch(() => undefined);
      if (Date.now() > deadline) throw new Error("PostgreSQL did not come up", { cause });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
