import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Analysis } from "../../src/core/analysis.ts";
import { type Observation, readObservation } from "../../src/core/observation.ts";
import { originOf, shareOf } from "../support/shares.ts";

/** As NOMP's logger writes them, with its colours, after its own source. */
const line = (message: string) =>
  `\u001b[32m2026-11-22 22:30:42 [Pool]\u001b[39m\t[litecoin] (Thread 1) ${message}\n`;

/** Runs the page's own command over a log and gives what it sends. */
async function sent(log: string): Promise<Observation[]> {
  const page = readFileSync(join(import.meta.dirname, "../../docs/pools/ndjson.md"), "utf8");
  const directory = mkdtempSync(join(tmpdir(), "assay-connection-log-"));
  const observations: Observation[] = [];
  const server = createServer(async (request, response) => {
    expect(request.headers["content-type"]).toBe("application/x-ndjson");
    const read = readObservation(JSON.parse(await text(request)), Number.POSITIVE_INFINITY);
    if ("reason" in read) expect.unreachable(read.reason);
    expect(read.unknownFields).toBe(0);
    observations.push(read.observation);
    response.end();
  });
  try {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const file = join(directory, "nomp.log");
    writeFileSync(file, log);
    const command = /```sh\n(.*?)```/s
      .exec(page)![1]!
      .replace("tail -n0 -F /var/log/nomp.log", `cat ${file}`)
      .replace("127.0.0.1:7070", `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [code] = await once(spawn("sh", ["-c", command], { stdio: "ignore" }), "close");
    expect(code).toBe(0);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  }
  return observations;
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0 || process.env.ASSAY_REQUIRE_SERVICES === "1";

test.skipIf(!hasCurl)("a pool's log of logins fills the addresses of its shares", async () => {
  const log = [
    line("Share accepted at diff 16/20.1 by LTCaddr.rig1 [198.51.100.9]"),
    line("Authorized LTCaddr.rig1:x [192.0.2.1]"),
    line("Unauthorized  LTCaddr.rig1:x [198.51.100.9]"),
    // What a miner chooses forges nobody's login, and takes no line apart.
    line("Authorized evil.rig:x Authorized LTCaddr.rig1:x [203.0.113.6]"),
    line('Authorized LTCaddr.rig1","account":"other:x [203.0.113.6]'),
    line("Authorized LTCaddr.rig2:[198.51.100.9] [192.0.2.2]"),
  ];
  const sessions = await sent(log.join(""));
  expect(sessions).toMatchObject([
    { event: "authorize", account: "LTCaddr", worker: "rig1", ip: "192.0.2.1", pool: "example-ltc" },
    { account: "evil", worker: "rig", ip: "203.0.113.6" },
    { account: "LTCaddr", worker: "rig2", ip: "192.0.2.2" },
  ]);
  const lookUpOrigin = (ip: string) => originOf(ip, ip === "192.0.2.1" ? { country: "FR" } : {});
  const analysis = new Analysis({ lookUpOrigin, stepHours: 6 });
  const { ip, agent, ...share } = shareOf({
    atMs: sessions[0]!.atMs + 1000,
    pool: "example-ltc",
    account: "LTCaddr",
    worker: "rig1",
  });
  analysis.take([...sessions, share]);
  const origin = analysis.takeDeltas().find(({ measurement }) => measurement === "origin");
  expect(origin?.tags).toContain("FR");
});
