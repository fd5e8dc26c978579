import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createMirror } from "../../../collectors/stratum/mirror.ts";
import { createObserver } from "../../../collectors/stratum/observer.ts";
import { createTap, type TapOptions } from "../../../collectors/stratum/tap.ts";
import { runPool } from "../../../models/simulate/live/pool.ts";
import { liveCollectorContract } from "../../contract/live-collector.ts";
import { captureFile, ipPacket, linkPacket } from "./capture-writer.ts";
import { running, silent } from "./harness.ts";

const directory = mkdtempSync(join(tmpdir(), "assay-contract-"));
afterAll(() => rmSync(directory, { recursive: true }));

function tap(overrides: Partial<TapOptions>) {
  return createTap({
    name: "tap",
    listen: { host: "127.0.0.1", port: 0 },
    upstream: { host: "127.0.0.1", port: 1 },
    pool: "testpool",
    algorithm: "sha256d",
    proxyProtocol: { accept: false, from: [], emit: "off" },
    maxConnections: 100,
    maxConnectionsPerAddress: 100,
    maxLineBytes: 65_536,
    idleMs: 600_000,
    lingerMs: 1,
    log: silent,
    ...overrides,
  });
}

liveCollectorContract(
  "the tap",
  async () => {
    let knocking: NodeJS.Timeout | undefined;
    let port = 0;
    return {
      collector: tap({
        onListening: (address) => {
          port = address.port;
        },
      }),
      speak() {
        knocking = setInterval(() => {
          if (port > 0) connect(port, "127.0.0.1").on("error", silent).end();
        }, 5);
      },
      async [Symbol.asyncDispose]() {
        clearInterval(knocking);
      },
    };
  },
  // Nobody has this address here.
  () => tap({ listen: { host: "192.0.2.1", port: 0 } }),
);

function observer(port: number, identify?: string) {
  return createObserver({
    name: "observer",
    pools: [
      {
        name: "pool",
        host: "127.0.0.1",
        port,
        tls: false,
        protocol: "mining",
        worker: "observer",
        password: "x",
        algorithm: "sha256d",
        coin: "bitcoin",
      },
    ],
    agent: "assay-observer",
    reconnectMs: 3_600_000,
    silenceMs: 600_000,
    maxLineBytes: 65_536,
    lingerMs: 1,
    log: silent,
    ...(identify === undefined ? {} : { identify }),
  });
}

liveCollectorContract(
  "the observer",
  async () => {
    const listening = Promise.withResolvers<AddressInfo>();
    const pool = running(runPool({ onListening: listening.resolve, jobEveryMs: 5 }));
    return {
      collector: observer((await listening.promise).port),
      // A pool speaks of its own.
      speak: silent,
      [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
    };
  },
  () => observer(1, join(directory, "none.json")),
);

const mirror = (...command: string[]) =>
  createMirror({ name: "mirror", command, pool: "testpool", algorithm: "sha256d", maxLineBytes: 65_536 });

liveCollectorContract(
  "the mirror",
  async () => {
    const file = join(directory, "live.pcap");
    const text = '{"id":1,"method":"mining.subscribe","params":[]}\n';
    const [from, to] = [["192.0.2.1", 40_000] as [string, number], ["192.0.2.2", 3333] as [string, number]];
    const packets = [
      { atMs: 1, from, to, sequence: 1, flags: "S" },
      { atMs: 2, from, to, sequence: 2, text },
    ];
    const data = captureFile(
      "pcap",
      1,
      packets.map((packet) => [packet.atMs, linkPacket(1, ipPacket(packet))]),
    );
    writeFileSync(file, "");
    return {
      // What is in the file, and then nothing: a capture that goes on.
      collector: mirror("sh", "-c", `cat ${file}; exec sleep 600`),
      speak: () => writeFileSync(file, data),
      async [Symbol.asyncDispose]() {},
    };
  },
  () => mirror("/no/such/program"),
);
