import { expect, test } from "vitest";
import {
  peerKey,
  readKernelRoundTrips,
  readSocketLine,
} from "../../../collectors/stratum/kernel-round-trips.ts";
import { dial, startServer } from "./harness.ts";

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

test("the kernel knows a real connection's round trip", async (context) => {
  await using server = await startServer((socket) => socket.on("data", (chunk) => socket.write(chunk)));
  const { socket } = await dial(server.port);
  socket.write("x");
  await new Promise((resolve) => socket.once("data", resolve));
  const trips = new Map<string, number>();
  const known = await readKernelRoundTrips(server.port, new AbortController().signal, (...trip) =>
    trips.set(...trip),
  );
  const peer = peerKey("127.0.0.1", socket.localPort!);
  socket.destroy();
  if (!known && process.env.ASSAY_REQUIRE_SERVICES !== "1") context.skip("iproute2's ss is not installed");
  expect(trips.get(peer)).toBeGreaterThan(0);
  expect(trips.get(peer)).toBeLessThan(1000);
});
