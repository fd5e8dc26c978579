import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFlows, type FlowsReport } from "../../../collectors/flows/flows.ts";
import { createFlowJoin } from "../../../collectors/flows/join.ts";
import { createFlowMeasure } from "../../../collectors/flows/measure.ts";
import type { Flow, Session } from "../../../src/core/observation.ts";
import { createOrigin } from "../../../src/origin/origin.ts";
import { openMetrics } from "../../../src/store/metrics-sqlite.ts";
import { softflowdUnavailable } from "../../support/softflowd.ts";

/** Real traffic over loopback, exported by Debian's softflowd to a running collector. */
const run = promisify(execFile);
const why = softflowdUnavailable();
if (why) console.warn(`softflowd is not tested: ${why}`);

let folder: string;
let pool: Server;
let poolPort: number;
/** Ports of the miners, to tell them from other traffic. */
const minersPorts = new Set<number>();
const exporters: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "assay-softflowd-"));
  pool = createServer((socket) => socket.on("data", (line) => socket.write(line)));
  pool.listen(0, "127.0.0.1");
  await once(pool, "listening");
  poolPort = (pool.address() as AddressInfo).port;
});
afterEach(async () => {
  minersPorts.clear();
  for (const exporter of exporters.splice(0)) await stopExporter(exporter);
  pool.close();
  await rm(folder, { recursive: true });
});

/** softflowd in the foreground, seeing only the pool's port; ready when its control socket answers. */
async function startExporter(version: string, port: number, name: string): Promise<ChildProcess> {
  const control = join(folder, `${name}.ctl`);
  const files = ["-p", join(folder, `${name}.pid`), "-c", control];
  const options = ["-d", "-i", "lo", "-v", version, "-n", `127.0.0.1:${port}`, ...files];
  const exporter = spawn("softflowd", [...options, `tcp port ${poolPort}`], { stdio: "ignore" });
  await once(exporter, "spawn");
  exporters.push(exporter);
  await expect
    .poll(() =>
      run("softflowctl", ["-c", control, "statistics"]).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  return exporter;
}

async function statistics(name: string): Promise<{ received: number; processed: number }> {
  const { stdout } = await run("softflowctl", ["-c", join(folder, `${name}.ctl`), "statistics"]);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1]);
  return {
    received: number(/^Packets received by libpcap: (\d+)$/m),
    processed: number(/^Packets processed: (\d+)$/m),
  };
}

/**
 * Makes the exporter tell of all flows so far. softflowd takes packets from the kernel a block at a time however long
 * that takes to fill, so traffic of no interest pushes what is of interest through.
 */
async function tellAll(name: string): Promise<void> {
  const { received } = await statistics(name);
  const socket = await connected();
  while ((await statistics(name)).processed < received) {
    for (let line = 0; line < 500; line += 1) {
      socket.write("x");
      await once(socket, "data");
    }
  }
  socket.destroy();
  await run("softflowctl", ["-c", join(folder, `${name}.ctl`), "expire-all"]);
}

async function connected(): Promise<Socket> {
  const socket = connect(poolPort, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function stopExporter(exporter: ChildProcess): Promise<void> {
  if (exporter.exitCode !== null || exporter.signalCode !== null) return;
  exporter.kill("SIGTERM");
  await once(exporter, "exit");
}

/** Miners that talk a little and hang up, each told as the tap would tell it. */
async function mine(count: number, lines: number): Promise<Session[]> {
  const sessions: Session[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = await connected();
    minersPorts.add(socket.localPort!);
    const session = `s${socket.localPort}`;
    const part = {
      type: "session",
      pool: "main",
      session,
      ip: "127.0.0.1",
      port: socket.localPort,
      account: "farm",
    } as const;
    sessions.push({ ...part, event: "authorize", atMs: Date.now() });
    for (let line = 0; line < lines; line += 1) {
      socket.write(`{"id":${line},"method":"mining.submit"}\n`);
      await once(socket, "data");
    }
    socket.end();
    await once(socket, "close");
    sessions.push({ ...part, event: "close", atMs: Date.now() });
  }
  return sessions;
}

/** A running collector whose flows gather in an array. */
async function collect() {
  const flows: Flow[] = [];
  const ending = new AbortController();
  const listening = Promise.withResolvers<number>();
  const collector = createFlows({
    name: "flows",
    host: "127.0.0.1",
    port: 0,
    exporters: ["127.0.0.1"],
    now: Date.now,
    log: () => {},
    onListening: ({ port }) => listening.resolve(port),
  });
  const done = (async () => {
    for await (const batch of collector.collect(ending.signal)) flows.push(...(batch.observations as Flow[]));
  })();
  done.catch(listening.reject);
  const stop = async (): Promise<FlowsReport> => {
    ending.abort();
    await done;
    return collector.report();
  };
  return { flows, port: await listening.promise, stop };
}

const ofMiners = (flows: readonly Flow[]) =>
  flows.filter(({ srcPort, dstPort }) => minersPorts.has(srcPort) || minersPorts.has(dstPort));

/** What the metrics store holds once these flows were measured and committed. */
async function stored(flows: readonly Flow[]): Promise<{ flows: number; packets: number }> {
  const origin = await createOrigin();
  const measure = createFlowMeasure(origin.lookUp);
  measure.take(flows);
  const metrics = await openMetrics({ file: join(folder, "metrics.db"), rawDays: 7, hourDays: 400 });
  await metrics.commit({ cursors: new Map(), accounts: new Map(), deltas: measure.takeDeltas() });
  const toMs = Number.MAX_SAFE_INTEGER;
  const rows = await metrics.query({ measurement: "flow", level: "1m", fromMs: 0, toMs });
  await metrics.close();
  const sum = (column: number) => rows.reduce((total, { values }) => total + values[column]!, 0);
  return { flows: sum(0), packets: sum(2) };
}

describe.skipIf(why)("softflowd", () => {
  it.each(["5", "9", "10"])(
    "version %s: its flows arrive in the store and join their sessions",
    async (version) => {
      const { flows, port, stop } = await collect();
      await startExporter(version, port, "first");
      const sessions = await mine(8, 5);
      await tellAll("first");
      await expect.poll(() => ofMiners(flows).length, { timeout: 10_000 }).toBe(16);
      const flowJoin = createFlowJoin([{ pool: "main", port: poolPort }]);
      flowJoin.take(sessions);
      flowJoin.take(ofMiners(flows));
      const later = Date.now() + 3_600_000;
      flowJoin.take([{ ...flows[0]!, srcPort: 1, dstPort: 1, atMs: later, startMs: later, endMs: later }]);
      const findings = flowJoin.takeFindings();
      expect(findings.map(({ kind }) => kind)).toEqual(new Array(8).fill("session"));
      // Handshake, five lines and their answers, and the closing; acknowledgements may ride along or go alone.
      for (const finding of findings) {
        expect(finding).toMatchObject({ account: "farm", ip: "127.0.0.1" });
        expect(finding.packets).toBeGreaterThanOrEqual(12);
      }
      const { exporters: reports } = await stop();
      expect(reports).toMatchObject([{ exporter: "127.0.0.1", lost: 0, malformed: 0, droppedSets: 0 }]);
      expect(await stored(flows)).toEqual({
        flows: flows.length,
        packets: flows.reduce((sum, flow) => sum + flow.packets, 0),
      });
    },
  );

  it.each(["5", "9", "10"])("version %s: a restart of the exporter loses nothing", async (version) => {
    const { flows, port, stop } = await collect();
    const first = await startExporter(version, port, "first");
    await mine(6, 2);
    await tellAll("first");
    await expect.poll(() => ofMiners(flows).length, { timeout: 10_000 }).toBe(12);
    await stopExporter(first);
    await startExporter(version, port, "second");
    for (let round = 1; round <= 3; round += 1) {
      await mine(4, 1);
      await tellAll("second");
      await expect.poll(() => ofMiners(flows).length, { timeout: 10_000 }).toBe(12 + 8 * round);
    }
    const { exporters: reports, dropped } = await stop();
    expect(reports[0]).toMatchObject({ lost: 0, malformed: 0 });
    expect(dropped).toBe(0);
  });
});
