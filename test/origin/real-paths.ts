/**
 * Measures round trips over real sockets and prints them as one line of JSON: a pool behind Assay's tap, a miner that
 * answers its requests at once, and the same miner behind a relay that ends TCP and holds every byte for `RELAY_MS` each
 * way. TCP round trips are the kernel's own, as `ss` tells them. Run by real-paths.test.ts: over loopback, or, when it is
 * given the milliseconds of one way, over a delayed network.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { startTap } from "../collectors/stratum/harness.ts";
import { seeded } from "../support/shares.ts";
import { FAR, holdPackets } from "./delayed-network.ts";

const RELAY_MS = 10;
/**
 * Connections one after the other: the kernel acknowledges at once in a connection's first moments alone, so a busy machine
 * can spoil all that TCP would tell of one.
 */
const CONNECTIONS = 3;
/** Application round trips of each; a busy machine adds to most of them, and the smallest counts. */
const SAMPLES = 14;
/** The kernel keeps its own minimum: it is asked this often. */
const KERNEL_EVERY = 7;
/** Mean of what routers add to one way of the delayed network, exponential. */
const JITTER_MS = 1;
/** Of iproute2. */
const SOCKET_STATISTICS = "ss";

const delayMs = Number(process.argv[2] ?? 0);
const random = seeded(7);
if (delayMs > 0) holdPackets({ delayMs, jitterMs: () => -Math.log(1 - random()) * JITTER_MS });
/** Where whoever stands outside reaches the tap. */
const host = delayMs > 0 ? FAR : "127.0.0.1";

async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ noDelay: true }, onConnection);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const arrived: Socket[] = [];
const pool = await listen((socket) => arrived.push(socket));
const tap = await startTap(pool.port, { listen: { host: "0.0.0.0", port: 0 }, roundTripEveryMs: 20 });
const relay = await listen((inner) => {
  const outer = connect({ port: tap.port, host, noDelay: true });
  outer.on("data", (data) => setTimeout(() => inner.write(data), RELAY_MS));
  inner.on("data", (data) => setTimeout(() => outer.write(data), RELAY_MS));
  inner.on("close", () => outer.destroy());
});

/** The smallest round trip the kernel has seen on the tap's side of the only connection, ms. */
function kernelRoundTrip(): number {
  const shown = execFileSync(
    SOCKET_STATISTICS,
    ["-tinHO", "state", "established", "sport", "=", `:${tap.port}`],
    { encoding: "utf8" },
  );
  const found = /minrtt:([\d.]+)/.exec(shown) ?? /rtt:([\d.]+)/.exec(shown);
  if (!found) throw new Error(`ss shows no round trip: ${shown}`);
  return Number(found[1]);
}

/** A miner that logs in and answers what it is asked, until its connection ends. */
function mine(account: string, to: { host: string; port: number }): Socket {
  const miner = connect({ ...to, noDelay: true });
  miner.write('{"id":1,"method":"mining.subscribe","params":["miner/1.0"]}\n');
  miner.on("data", (data) => {
    for (const line of String(data).split("\n").filter(Boolean)) {
      const { id, method } = JSON.parse(line) as { id: number; method?: string };
      if (method) miner.write(`${JSON.stringify({ id, result: "miner/1.0", error: null })}\n`);
      else if (id === 1)
        miner.write(`${JSON.stringify({ id: 2, method: "mining.authorize", params: [account, "x"] })}\n`);
    }
  });
  return miner;
}

async function measure(account: string, to: { host: string; port: number }) {
  const tcp: number[] = [];
  const app: number[] = [];
  for (let connection = 1; connection <= CONNECTIONS; connection += 1) {
    const before = arrived.length;
    const miner = mine(account, to);
    while (arrived.length === before) await new Promise(setImmediate);
    const socket = arrived[before] as Socket;
    const said = async () => JSON.parse(String((await once(socket, "data"))[0])) as { id: number };
    for (const answer of ['[[["mining.notify","1"]],"00",4]', "true"])
      socket.write(`{"id":${(await said()).id},"result":${answer},"error":null}\n`);
    for (let round = 0; round < SAMPLES; round += 1) {
      const start = performance.now();
      socket.write(`{"id":${100 + round},"method":"client.get_version","params":[]}\n`);
      await said();
      app.push(performance.now() - start);
      if (round % KERNEL_EVERY === 0) tcp.push(kernelRoundTrip());
    }
    // What the tap itself tells, at the latest when the session ends.
    miner.destroy();
    const ended = () => tap.sessions("close").filter((session) => session.account === account).length;
    while (ended() < connection) await new Promise(setImmediate);
  }
  const told = tap.sessions().filter((session) => session.account === account);
  const least = (kind: "rttMs" | "appRttMs") => Math.min(...told.flatMap((session) => session[kind] ?? []));
  return { tcp, app, told: { rttMs: least("rttMs"), appRttMs: least("appRttMs") } };
}

const direct = await measure("direct", { host, port: tap.port });
const relayed = await measure("relayed", { host: "127.0.0.1", port: relay.port });
process.stdout.write(`${JSON.stringify({ direct, relayed })}\n`, () => process.exit());
