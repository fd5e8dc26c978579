import { expect, test } from "vitest";
import {
  openKernelRoundTrips,
  peerKey,
  readSocketLine,
} from "../../../collectors/stratum/kernel-round-trips.ts";
import { installed } from "../../support/installed.ts";
import { dial, startServer } from "./harness.ts";

const WITHOUT_SS = "(left out where iproute2's ss is not installed)";
const ss = installed("ss", "-V");

// Recorded from iproute2 6.1 on loopback, cut to the words that matter; the last line has no minrtt.
const RECORDED = `0      0      [::ffff:127.0.0.1]:37087 [::ffff:127.0.0.1]:34400 bbr wscale:10,10 rto:204 rtt:0.108/0.062 cwnd:11 rcv_space:65483 minrtt:0.013 snd_wnd:65536
0      0      127.0.0.1:3333 198.51.100.4:50123 cubic rto:204 rtt:41.2/3.1 minrtt:39.8
0      0      [::1]:3333 [2001:db8::7]:50124 cubic rto:204 rtt:41.2/3.1 ato:40
garbage
`;

test("what ss prints is read", () => {
  const trips: [string, number][] = [];
  for (const line of RECORDED.split("\n")) readSocketLine(line, (...trip) => trips.push(trip));
  expect(trips).toEqual([
    ["127.0.0.1 34400", 0.013],
    ["198.51.100.4 50123", 39.8],
    ["2001:db8::7 50124", 41.2],
  ]);
});

test.skipIf(!ss)(`the kernel knows a real connection's round trip ${WITHOUT_SS}`, async () => {
  await using server = await startServer((socket) => socket.on("data", (chunk) => socket.write(chunk)));
  const { socket } = await dial(server.port);
  socket.write("x");
  await new Promise((resolve) => socket.once("data", resolve));
  const ending = new AbortController();
  const ask = openKernelRoundTrips(server.port, ending.signal);
  const peer = peerKey("127.0.0.1", socket.localPort!);
  // Twice: the shell answers more than one question, and each answer is whole.
  for (const _ of [1, 2]) {
    const trips = new Map<string, number>();
    const known = await ask((...trip) => trips.set(...trip));
    expect(known).toBe(true);
    expect(trips.get(peer)).toBeGreaterThan(0);
    expect(trips.get(peer)).toBeLessThan(1000);
  }
  socket.destroy();
  ending.abort();
  expect(await ask(() => {})).toBe(false);
});

test.skipIf(!ss)(`an answer of many pieces is read whole ${WITHOUT_SS}`, async () => {
  await using server = await startServer(() => {});
  const dialled = await Promise.all(Array.from({ length: 300 }, () => dial(server.port)));
  const expected = dialled.map(({ socket }) => peerKey("127.0.0.1", socket.localPort!));
  const ending = new AbortController();
  const peers = new Set<string>();
  const known = await openKernelRoundTrips(server.port, ending.signal)((peer) => peers.add(peer));
  ending.abort();
  for (const { socket } of dialled) socket.destroy();
  expect(known).toBe(true);
  expect([...peers]).toEqual(expect.arrayContaining(expected));
});

test("where there is no ss nothing is known", async () => {
  const path = process.env.PATH;
  const ending = new AbortController();
  process.env.PATH = "/nowhere";
  try {
    const ask = openKernelRoundTrips(1, ending.signal);
    expect(await ask(() => {})).toBe(false);
  } finally {
    process.env.PATH = path;
    ending.abort();
  }
});
