import type { Network } from "../../src/review/network-routes.ts";

/** What the network tells in tests of the page, with names as a stranger would choose them. */
export function seedNetwork(nowMs: number): Network {
  const [startMs, endMs] = [nowMs - 3 * 3_600_000, nowMs - 60_000];
  const counts = { templates: 4, malformed: 3, droppedSets: 0, clockCorrected: 0 };
  const ends = { pool: "main", ip: "2001:db8::7", port: 40_123 };
  return {
    exporters: [
      {
        collector: "flows",
        exporter: "192.0.2.1",
        datagrams: 120_412,
        flows: 3_371_536,
        lost: 28,
        ...counts,
      },
    ],
    joined: {
      total: 431,
      entries: [
        {
          ...ends,
          session: "s1",
          account: "farm\u202egnp.exe",
          durationMs: 7_260_000,
          bytes: 918_204,
          packets: 9120,
          shares: 512,
          bytesPerShare: 1793.4,
          rttMs: 41.5,
          appRttMs: 264,
        },
        {
          ...ends,
          port: 40_124,
          session: "s2",
          account: null,
          durationMs: 60_000,
          bytes: 4100,
          packets: 44,
          shares: 0,
          bytesPerShare: null,
          rttMs: null,
          appRttMs: null,
        },
      ],
    },
    unseen: { total: 1, entries: [{ ...ends, startMs, endMs, bytes: 4200, packets: 42 }] },
    elsewhere: {
      total: 1,
      entries: [
        {
          client: "198.51.100.7",
          server: "203.0.113.5",
          serverPort: 3333,
          startMs,
          endMs,
          packets: 2100,
          packetBytes: 92.46,
          packetsPerMinute: 11.9,
          activity: 0.93,
        },
      ],
    },
    prefixes: [
      {
        network: "star-kp",
        prefix: "175.45.176.0/24",
        visibility: "partly",
        peers: 61,
        visiblePeers: 24,
        origins: [131_279],
        upstreams: [4837, 64_500],
        unexpected: ["upstream 64500"],
      },
    ],
    routes: {
      total: 1,
      entries: [
        {
          atMs: endMs,
          prefix: "175.45.176.0/24",
          event: "announce",
          path: [50_628, 64_500, 131_279],
        },
      ],
    },
  };
}
