/**
 * Measures round trips over real sockets and prints them as one line of JSON: a pool, a miner that answers its
 * requests at once, and the same miner behind a relay that ends TCP and holds every byte for `RELAY_MS` each way.
 * TCP round trips are the kernel's own, as `ss` tells them. Run by real-paths.test.ts, where it can be in a network
 * namespace whose loopback delays packets.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const RELAY_MS = 10;
const SAMPLES = 12;
/** Of iproute2. */
const SOCKET_STATISTICS = "ss";

async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ noDelay: true }, onConnection);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

function miner(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("data", (data) => socket.write(data));
  return socket;
}

/** The smallest round trip the kernel has seen on the connection, ms. */
function kernelRoundTrip(socket: Socket): number {
  const filter = [`sport = :${socket.localPort}`, "and", `dport = :${socket.remotePort}`].join(" ");
  const shown = execFileSync(SOCKET_STATISTICS, ["-tinH", filter], { encoding: "utf8" });
  const found = /minrtt:([\d.]+)/.exec(shown) ?? /rtt:([\d.]+)/.exec(shown);
  if (!found) throw new Error(`ss shows no round trip: ${shown}`);
  return Number(found[1]);
}

async function sample(socket: Socket): Promise<{ tcp: number[]; app: number[] }> {
  const tcp: number[] = [];
  const app: number[] = [];
  for (let round = 0; round < SAMPLES; round += 1) {
    const start = performance.now();
    socket.write(`{"id":${round},"method":"client.get_version","params":[]}\n`);
    await once(socket, "data");
    app.push(performance.now() - start);
    tcp.push(kernelRoundTrip(socket));
  }
  return { tcp, app };
}

const arrived: Socket[] = [];
const pool = await listen((socket) => arrived.push(socket));
const relay = await listen((inner) => {
  const outer = connect({ port: pool.port, host: "127.0.0.1", noDelay: true });
  outer.on("data", (data) => setTimeout(() => inner.write(data), RELAY_MS));
  inner.on("data", (data) => setTimeout(() => outer.write(data), RELAY_MS));
});

async function measure(port: number) {
  const before = arrived.length;
  miner(port);
  while (arrived.length === before) await new Promise(setImmediate);
  return sample(arrived[before] as Socket);
}

const direct = await measure(pool.port);
const relayed = await measure(relay.port);
process.stdout.write(`${JSON.stringify({ direct, relayed, relayMs: 2 * RELAY_MS })}\n`, () => process.exit());
