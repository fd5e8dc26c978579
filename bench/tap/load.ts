import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What the load process is asked to do. */
export type Request =
  | { kind: "pool" }
  | Load
  | { kind: "hold"; port: number; connections: number }
  | { kind: "release" };

/** A load on each of some ports. */
export interface Load {
  kind: "load";
  ports: number[];
  connections: number;
  /** Through each port. */
  roundTrips: number;
  /** A second, through each port; null: as many as will go. */
  rate: number | null;
}

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

/** The miners behind one proxy, and what their round trips took. */
interface Lane {
  send(): void;
  done: Promise<void>;
  measured(seconds: number): Measured;
  close(): void;
}

async function openLane(
  port: number,
  connections: number,
  roundTrips: number,
  again: boolean,
): Promise<Lane> {
  const miners = await startMiners(port, connections);
  // Before it is measured a proxy gets over having accepted them all.
  const all = roundTrips + WARM_UP;
  const times: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const sentAt = miners.map(() => [] as number[]);
  let sent = 0;
  const sendFrom = (index: number) => {
    if (sent >= all) return;
    sent += 1;
    sentAt[index]!.push(performance.now());
    miners[index]!.write(SUBMIT);
  };
  for (const [index, miner] of miners.entries()) {
    miner.on("data", (chunk: Buffer) => {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
        times.push(performance.now() - sentAt[index]!.shift()!);
        if (times.length === all) resolve();
        if (again) sendFrom(index);
      }
    });
  }
  return {
    send: () => sendFrom(sent % connections),
    done: promise,
    measured(seconds) {
      const counted = times.slice(WARM_UP).sort((one, other) => one - other);
      const quantile = (part: number) => counted[Math.floor(part * (counted.length - 1))]! * 1000;
      return { p50Us: quantile(0.5), p99Us: quantile(0.99), perSecond: all / seconds };
    },
    close() {
      for (const miner of miners) miner.destroy();
    },
  };
}

/**
 * Makes round trips through each port and times them. With a rate (a second, through each), shares are sent by the clock, spread
 * over all connections, by turns through one proxy and the other, so that whatever disturbs the machine meets both. Without,
 * every connection sends its next share when the last is answered.
 */
async function measure({ ports, connections, roundTrips, rate }: Load): Promise<Measured[]> {
  const lanes: Lane[] = [];
  for (const port of ports) lanes.push(await openLane(port, connections, roundTrips, rate === null));
  const startMs = performance.now();
  let turns = 0;
  if (rate === null)
    for (const lane of lanes) for (let index = 0; index < connections; index += 1) lane.send();
  const clock = setInterval(() => {
    for (const due = ((performance.now() - startMs) * (rate ?? 0)) / 1000; turns < due; turns += 1) {
      for (const lane of turns % 2 === 0 ? lanes : lanes.toReversed()) lane.send();
    }
  }, 1);
  await Promise.all(lanes.map(({ done }) => done));
  clearInterval(clock);
  const seconds = (performance.now() - startMs) / 1000;
  for (const lane of lanes) lane.close();
  return lanes.map((lane) => lane.measured(seconds));
}

async function answer(request: Request): Promise<object> {
  switch (request.kind) {
    case "pool":
      return startPool();
    case "load":
      return measure(request);
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
