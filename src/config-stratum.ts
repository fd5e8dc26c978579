import { z } from "zod";
import { algorithm, host, name, network, path, port, section } from "./config-fields.ts";

/** Sections of everything that speaks stratum. */

const poolAddress = { host: z.string().min(1), port: z.number().int().min(1).max(65_535) };

export const tap = section({
  name: name.default("tap"),
  listen: section({ host, port: port(3333) }).prefault({}),
  upstream: section({
    ...poolAddress,
    tls: z.boolean().default(false).describe("Speak TLS to the pool and check its certificate."),
    ca: path.optional().describe("PEM file of the authorities that vouch for it. Absent: the system's."),
    fallback: z
      .array(section(poolAddress))
      .default([])
      .describe("Addresses tried in order when the pool cannot be reached. None: the miner is let go."),
  }).describe("The pool's own stratum port."),
  tls: section({ certificate: path, key: path })
    .optional()
    .describe("PEM files: miners speak TLS to the tap. Absent: TLS passes through, not decoded."),
  pool: z.string().default("pool"),
  algorithm: algorithm.default("sha256d"),
  shares: z
    .boolean()
    .default(true)
    .describe(
      "Off where a share log or database of the same pool is read too: the tap then tells who is connected from where, and no share is counted twice.",
    ),
  proxyProtocol: section({
    accept: z
      .boolean()
      .default(false)
      .describe("Read a PROXY v1 or v2 header at the start of a miner's connection."),
    from: z
      .array(network)
      .default(["127.0.0.1", "::1"])
      .describe("Addresses and networks of peers that send a PROXY header and are believed."),
    emit: z.enum(["off", "v1", "v2"]).default("off").describe("Header sent to the pool."),
  }).prefault({}),
  maxConnections: z.number().int().min(1).default(20_000),
  maxConnectionsPerAddress: z.number().int().min(1).default(2_000),
  maxLineBytes: z
    .number()
    .int()
    .min(256)
    .default(65_536)
    .describe("A longer message is forwarded all the same, not decoded, and counted."),
  idleMs: z
    .number()
    .int()
    .min(1000)
    .default(900_000)
    .describe("A connection silent both ways for so long is closed."),
  drainMs: z
    .number()
    .int()
    .min(0)
    .default(1000)
    .describe("How long bytes under way may still be sent when the tap ends, in milliseconds."),
});

export const observer = section({
  name: name.default("observer"),
  pools: z
    .array(
      section({
        name: z.string().min(1).describe("Name the pool's jobs are kept under."),
        ...poolAddress,
        tls: z.boolean().default(false),
        ca: path.optional().describe("PEM file of the authorities that vouch for it. Absent: the system's."),
        protocol: z
          .enum(["mining", "cryptonote"])
          .default("mining")
          .describe("`cryptonote` for Monero and its kin."),
        worker: z.string().min(1).describe("Login; the observer never submits a share."),
        password: z.string().default("x"),
        algorithm: algorithm.default("sha256d"),
        coin: z
          .string()
          .default("bitcoin")
          .describe("Whose addresses the coinbase pays; pools of one coin are compared."),
      }),
    )
    .default([])
    .describe("Pools watched as a client. None: nobody is watched."),
  agent: z.string().min(1).default("assay-observer").describe("What the observer calls itself."),
  reconnectMs: z
    .number()
    .int()
    .min(60_000)
    .default(6 * 3_600_000)
    .describe("A connection is made anew after about this time."),
  silenceMs: z
    .number()
    .int()
    .min(10_000)
    .default(600_000)
    .describe("A connection that has said nothing for so long is taken for dead."),
  maxLineBytes: z.number().int().min(1024).default(65_536),
  identify: path
    .optional()
    .describe("A table of pools, in the form of mempool/mining-pools or bitcoin-data/mining-pools."),
});

export const mirror = section({
  name: name.default("mirror"),
  command: z
    .array(z.string())
    .min(1)
    .describe(
      "Program and arguments that write pcap or pcapng to standard output, such as tcpdump -U -w - -i eth1.",
    ),
  pool: z.string().default("pool"),
  algorithm: algorithm.default("sha256d"),
  maxLineBytes: z.number().int().min(256).default(65_536),
});
