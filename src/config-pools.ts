import { z } from "zod";
import { algorithm, host, name, path, port, section } from "./config-fields.ts";

const ckpool = section({
  name: name.describe("Name of this source; its place in the logs is kept under it."),
  directory: path.describe("ckpool's logs directory, the one that holds <height>/<workinfoid>.sharelog."),
  pool: z.string().default("ckpool").describe("Name the pool's accounts are kept under."),
  algorithm: algorithm.default("sha256d"),
  pollMs: z
    .number()
    .int()
    .min(10)
    .default(500)
    .describe("How often new files are looked for, in milliseconds."),
});

const pollMs = (fallback: number) =>
  z.number().int().min(100).default(fallback).describe("Wait between two looks, in milliseconds.");
const poolName = z.string().min(1).describe("Name the pool's accounts are kept under.");

const miningcore = section({
  name,
  url: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("PostgreSQL connection string of a role that may SELECT from Miningcore's table shares."),
  poolId: z.string().min(1).describe("Miningcore's id of the pool, column poolid."),
  pool: poolName,
  algorithm,
  pollMs: pollMs(2000),
  lookbackMs: z
    .number()
    .int()
    .min(1000)
    .default(120_000)
    .describe("How long after its date a share may still be committed."),
});

const miningcoreRelay = section({
  name,
  url: z
    .url({ protocol: /^tcp$/ })
    .refine((url) => URL.canParse(url) && Number(new URL(url).port) > 0, "tcp://host:port")
    .describe("The publishUrl of Miningcore's shareRelay, tcp://host:port."),
  poolId: z.string().min(1).describe("Miningcore's id of the pool, the topic of its shares."),
  pool: poolName,
  algorithm,
});

const redisShares = section({
  name,
  url: z
    .url({ protocol: /^rediss?$/ })
    .default("redis://127.0.0.1:6379")
    .describe("With user, password and database where needed."),
  key: z.string().min(1).describe("The sorted set, <coin>:hashrate."),
  dialect: z
    .enum(["nomp", "cryptonote", "ethereum"])
    .describe("Who writes it: NOMP's kin, cryptonote-nodejs-pool's kin, or open-ethereum-pool."),
  pool: poolName,
  algorithm,
  pollMs: pollMs(1000),
  lagMs: z
    .number()
    .int()
    .min(1000)
    .default(5000)
    .describe("A second is read once it is so long past; what is written later is counted as missed."),
});

const xmrigProxy = section({
  name,
  url: z.url({ protocol: /^https?$/ }).describe("The proxy's HTTP interface."),
  token: z.string().optional().describe("Its access-token, where it has one."),
  pool: poolName,
  algorithm: algorithm.default("randomx"),
  pollMs: pollMs(30_000),
});

const publicPool = section({
  name,
  file: path.describe("public-pool's SQLite database, read only."),
  pool: poolName.default("public-pool"),
  algorithm: algorithm.default("sha256d"),
  pollMs: pollMs(30_000),
});

const publicPoolRest = section({
  name,
  url: z.url({ protocol: /^https?$/ }).describe("The interface of somebody's public-pool."),
  addresses: z.array(z.string().min(1)).min(1).describe("Payout addresses to ask for."),
  pool: poolName.default("public-pool"),
  algorithm: algorithm.default("sha256d"),
  pollMs: pollMs(300_000),
});

const sri = section({
  name,
  url: z
    .url({ protocol: /^https?$/ })
    .describe("The monitoring_address of a Stratum V2 pool, JD client or translator."),
  pool: poolName,
  algorithm: algorithm.default("sha256d"),
  pollMs: pollMs(15_000),
});

const nodejsPool = section({
  name,
  listen: section({ host, port: port(8000) }).prefault({}),
  secret: z.string().min(1).describe("api.authKey of the pool: what its leaves send."),
  pool: poolName,
  algorithm: algorithm.default("randomx"),
});

/** The pool programs Assay reads from, by the name of their section under `collectors`. */
export const poolPrograms = {
  ckpool: z.array(ckpool).default([]),
  miningcore: z.array(miningcore).default([]),
  miningcoreRelay: z.array(miningcoreRelay).default([]),
  redisShares: z.array(redisShares).default([]),
  xmrigProxy: z.array(xmrigProxy).default([]),
  publicPool: z.array(publicPool).default([]),
  publicPoolRest: z.array(publicPoolRest).default([]),
  sri: z.array(sri).default([]),
  nodejsPool: z.array(nodejsPool).default([]),
};
