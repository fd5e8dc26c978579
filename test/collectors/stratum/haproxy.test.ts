import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runMiner } from "../../../models/simulate/live/miner.ts";
import { runPool } from "../../../models/simulate/live/pool.ts";
import { installed } from "../../support/installed.ts";
import { running, startTap, until } from "./harness.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "assay-haproxy-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** A port nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** HAProxy in TCP mode from a free port to `target`, with a PROXY header of the given version. */
async function startHaproxy(target: number, send: "send-proxy" | "send-proxy-v2") {
  const port = await freePort();
  const file = join(directory, `${send}.cfg`);
  await writeFile(
    file,
    `global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen stratum
  bind 127.0.0.1:${port}
  server tap 127.0.0.1:${target} ${send}
`,
  );
  const child: ChildProcess = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
  let up = false;
  const asking = (async () => {
    while (!up && child.exitCode === null) up = await answers();
  })();
  await until(() => up || child.exitCode !== null, "HAProxy to listen");
  await asking;
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

describe.skipIf(!installed("haproxy", "-v"))(
  "HAProxy in front of the tap (skipped where haproxy is not installed)",
  () => {
    test.each(["send-proxy", "send-proxy-v2"] as const)(
      "%s: the miner's own address comes through",
      async (send) => {
        const listening = Promise.withResolvers<AddressInfo>();
        await using _pool = running(runPool({ onListening: listening.resolve, difficulty: 8 }));
        await using tap = await startTap((await listening.promise).port, {
          proxyProtocol: { accept: true, from: ["127.0.0.1"], emit: "off" },
        });
        await using haproxy = await startHaproxy(tap.port, send);
        await using _miner = running(
          runMiner({
            host: "127.0.0.1",
            port: haproxy.port,
            agent: "cgminer/4.12.1",
            worker: "farm.rig1",
            hashrateHs: () => 100 * 8 * 2 ** 32,
          }),
        );
        await until(() => tap.shares().length > 5, "shares");
        const [login] = tap.sessions("authorize");
        expect(login).toMatchObject({ ip: "127.0.0.1", account: "farm" });
        // The port is the miner's, not HAProxy's: one of HAProxy's own connections to the tap would have another.
        const established = execFileSync("ss", [
          "-tnH",
          "state",
          "established",
          "dport",
          "=",
          `:${haproxy.port}`,
        ]).toString();
        expect(established).toContain(`127.0.0.1:${login!.port}`);
        // Behind a balancer the kernel's round trip would be the balancer's.
        expect(login!.rttMs).toBeUndefined();
      },
    );
  },
);
