import { type Coinbase, decodeCoinbase, readPrevHash } from "./coinbase.ts";
import { isRecord, readId } from "./message.ts";
import { hashesForTarget } from "./work-target.ts";

/** What a `mining.notify` says, whatever coin it is for. */
export interface Notice {
  /** Jobs handed out together; one but for Alephium, which sends one a chain. */
  jobIds: string[];
  clean: boolean;
  /** As explorers show it; absent where the dialect does not carry it. */
  prevHash?: string;
  height?: number;
  /** Expected hashes a share of this job, where the job carries its own target. */
  hashes?: number;
  /** Decodes the coinbase, given the size of both extranonces in bytes. */
  coinbase?: (extranonceBytes: number | null) => Coinbase | null;
  /** Merkle branches of the template, where the dialect carries them. */
  branches?: string[];
  dialect: MiningDialect;
}

/** Dialects that share the `mining.*` methods. */
export type MiningDialect = "bitcoin" | "zcash" | "kawpow" | "ethereum" | "kaspa" | "alephium";

const HASH = /^(?:0x)?[0-9a-f]{64}$/i;
const isHash = (value: unknown): value is string => typeof value === "string" && HASH.test(value);
const oneJob = (value: unknown) => {
  const id = readId(value);
  return id === null || id === "" ? null : [id];
};

/**
 * Reads a notify by its shape, because nothing else says which coin it is for. Null: no shape that is known.
 * Sources: slush's proposal (nine parameters), ZIP 301 (eight), kawpowminer (seven), EthereumStratum/1.0.0
 * (four or five), kaspa-stratum-bridge (an array or a blob second), alephium/mining-pool (objects).
 */
export function readNotify(params: unknown): Notice | null {
  if (!Array.isArray(params) || params.length === 0) return null;
  if (params.every(isRecord)) return readAlephium(params);
  const jobIds = oneJob(params[0]);
  if (jobIds === null) return null;
  if (params.length >= 9 && Array.isArray(params[4])) return readBitcoin(jobIds, params);
  if (params.length === 8 && isHash(params[2])) return readZcash(jobIds, params);
  if (params.length === 7 && isHash(params[1]) && isHash(params[3])) return readKawpow(jobIds, params);
  if (isHash(params[1]) && isHash(params[2]) && typeof params[3] === "boolean") {
    return { dialect: "ethereum", jobIds, clean: params[3], ...readHeight(params[4]) };
  }
  const blob = typeof params[1] === "string" && /^[0-9a-f]{64,}$/i.test(params[1]);
  if (params.length <= 3 && (blob || (Array.isArray(params[1]) && params[1].length === 4))) {
    return { dialect: "kaspa", jobIds, clean: true };
  }
  return null;
}

/** [job, previous hash, coinbase 1, coinbase 2, merkle branches, version, bits, time, clean]. */
function readBitcoin(jobIds: string[], params: unknown[]): Notice | null {
  const prevHash = readPrevHash(params[1]);
  if (prevHash === null) return null;
  const coinbase = (size: number | null) => decodeCoinbase(params[2], params[3], size);
  const branches = (params[4] as unknown[]).filter(isHash);
  return { dialect: "bitcoin", jobIds, clean: params[8] === true, prevHash, coinbase, branches };
}

/** [job, version, previous hash, merkle root, final sapling root, time, bits, clean], hashes in the order of the header. */
function readZcash(jobIds: string[], params: unknown[]): Notice {
  const prevHash = Buffer.from(params[2] as string, "hex")
    .reverse()
    .toString("hex");
  return { dialect: "zcash", jobIds, clean: params[7] === true, prevHash };
}

/** [job, header hash, seed hash, target, clean, height, bits]. */
function readKawpow(jobIds: string[], params: unknown[]): Notice {
  const hashes = hashesForTarget(params[3]);
  return { dialect: "kawpow", jobIds, clean: params[4] === true, hashes, ...readHeight(params[5]) };
}

/** One object a chain: { jobId, fromGroup, toGroup, headerBlob, txsBlob, targetBlob }. */
function readAlephium(params: Record<string, unknown>[]): Notice | null {
  const jobIds = params.slice(0, 64).flatMap(({ jobId }) => oneJob(jobId) ?? []);
  return jobIds.length === 0 ? null : { dialect: "alephium", jobIds: [...new Set(jobIds)], clean: true };
}

/** A block height, as a number or in hexadecimal with 0x. */
export function readHeight(value: unknown): { height?: number } {
  const height = typeof value === "string" && /^0x[0-9a-f]{1,12}$/i.test(value) ? Number(value) : value;
  return typeof height === "number" && Number.isSafeInteger(height) && height >= 0 ? { height } : {};
}
