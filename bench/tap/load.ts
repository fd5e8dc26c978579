import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What the load process is asked to do. */
export type Request =
  | { kind: "pool" }
  | { kind: "load"; port: number; connections: number; roundTrips: number; rate: number | null }
  | { kind: "hold"; port: number; connections: number }
  | { kind: "release" };

/** What came out of a load. */
export interface Measured {
  p50Us: number;
  p99Us: number;
  perSecond: number;
}

const SUBMIT = `${JSON.stringify({ id: 4, method: "mining.submit", params: ["farm.rig1", "6b036dd000000000", "0000000000000000", "6b036dd0", "89e34f00"] })}\n`;
const LOGIN = `${JSON.stringify({ id: 1, method: "mining.subscribe", params: ["bench/1"] })}\n${JSON.stringify({ id: 2, method: "mining.authorize", params: ["farm.rig1", "x"] })}\n`;
const GREETING = [
  { id: 1, result: [[["mining.notify", "1"]], "f0000001", 8], error: null },
  { id: 2, result: true, error: null },
  { id: null, method: "mining.set_difficulty", params: [65_536] },
  {
    id: null,
    method: "mining.notify",
    params: ["6b036dd000000000", "0".repeat(64), "00", "00", [], "20000000", "1703a30c", "6b036dd0", true],
  },
]
  .map((message) => `${JSON.stringify(message)}\n`)
  .join("");
const ACCEPTED = Buffer.from('{"result":true,"error":null,"id":4}\n');
const NEWLINE = 0x0a;

const WARM_UP = 1000;
const held: Socket[] = [];

/** A pool that greets a login and accepts every share at once. */
async function startPool(): Promise<{ port: number }> {
  const server = createServer({ noDelay: true }, (socket) => {
    let greeted = 0;
    socket.on("data", (chunk: Buffer) => {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
        if (greeted < 2) {
          greeted += 1;
          if (greeted === 2) socket.write(GREETING);
        } else socket.write(ACCEPTED);
      }
    });
    socket.on("error", () => socket.destroy());
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port };
}

/** A connected miner that has its first job. */
async function startMiner(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(LOGIN);
  let text = "";
  while (!text.includes("mining.notify") || !text.endsWith("\n"))
    text += String((await once(socket, "data"))[0]);
  return socket;
}

async function startMiners(port: number, connections: number): Promise<Socket[]> {
  const miners: Socket[] = [];
  // Two hundred at a time, so that no backlog overflows.
  while (miners.length < connections) {
    const next = Math.min(200, connections - miners.length);
    miners.push(...(await Promise.all(Array.from({ length: next }, () => startMiner(port)))));
  }
  return miners;
}

/**
 * Makes round trips and times each. With a rate, shares are sent by the clock, spread over all connections; without,
 * every connection sends its next one when the last is answered.
 */
async function measure(
  port: number,
  connections: number,
  roundTrips: number,
  rate: number | null,
): Promise<Measured> {
  const miners = await startMiners(port, connections);
  // Before it is measured a proxy gets over having accepted them all.
  const all = roundTrips + WARM_UP;
  const times: number[] = [];
  const done = Promise.withResolvers<void>();
  const sentAt = miners.map(() => [] as number[]);
  let sent = 0;
  const send = (index: number) => {
    sent += 1;
    sentAt[index]!.push(performance.now());
    miners[index]!.write(SUBMIT);
  };
  miners.forEach((miner, index) => {
    miner.on("data", (chunk: Buffer) => {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
        times.push(performance.now() - sentAt[index]!.shift()!);
        if (times.length === all) done.resolve();
        if (rate === null && sent < all) send(index);
      }
    });
  });
  const startMs = performance.now();
  if (rate === null) for (let index = 0; index < Math.min(connections, all); index += 1) send(index);
  const clock = setInterval(() => {
    const due = Math.min(all, ((performance.now() - startMs) * (rate ?? 0)) / 1000);
    while (sent < due) send(sent % connections);
  }, 1);
  await done.promise;
  clearInterval(clock);
  const seconds = (performance.now() - startMs) / 1000;
  for (const miner of miners) miner.destroy();
  times.splice(0, WARM_UP);
  times.sort((one, other) => one - other);
  const quantile = (part: number) => times[Math.floor(part * (times.length - 1))]! * 1000;
  return { p50Us: quantile(0.5), p99Us: quantile(0.99), perSecond: all / seconds };
}

async function answer(request: Request): Promise<object> {
  switch (request.kind) {
    case "pool":
      return startPool();
    case "load":
      return measure(request.port, request.connections, request.roundTrips, request.rate);
    case "hold":
      held.push(...(await startMiners(request.port, request.connections)));
      for (const miner of held) {
        miner.write(SUBMIT);
        await once(miner, "data");
      }
      return {};
    case "release":
      for (const miner of held.splice(0)) miner.destroy();
      return {};
  }
}

process.on("message", async (request: Request) => process.send!(await answer(request)));
