import type { Outcome } from "#core/observation.ts";

/** Who wrote the sorted set: NOMP and its kin, cryptonote-nodejs-pool and its kin, or open-ethereum-pool. */
export const REDIS_DIALECTS = ["nomp", "cryptonote", "ethereum"] as const;
export type RedisDialect = (typeof REDIS_DIALECTS)[number];

/** A share as one member of the sorted set tells it. */
export interface RedisShare {
  atMs: number;
  account: string;
  worker: string | undefined;
  difficulty: number;
  outcome: Outcome;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[-+]?\d+)?`;
/** A worker's name is the miner's own choice and may hold colons, so each dialect is read from both ends. */
const MEMBERS: Record<RedisDialect, RegExp> = {
  // difficulty:address.worker:milliseconds
  nomp: new RegExp(`^(${NUMBER}):(.+):(\\d{13})$`, "i"),
  // difficulty:login~worker:milliseconds[:rewardType]
  cryptonote: new RegExp(`^(${NUMBER}):(.+):(\\d{13})(?::[a-z]+)?$`, "i"),
  // difficulty:login:id:milliseconds
  ethereum: new RegExp(`^(${NUMBER}):([^:]+:.*):(\\d{13})$`, "i"),
};
const SEPARATOR: Record<RedisDialect, string> = { nomp: ".", cryptonote: "~", ethereum: ":" };

/** Reads one member, or says why not. NOMP marks a share it rejected by a negative difficulty. */
export function readRedisMember(member: string, dialect: RedisDialect): RedisShare | string {
  const match = MEMBERS[dialect].exec(member);
  if (match === null) return `not a ${dialect} share`;
  const [, difficulty, name, atMs] = match as unknown as [string, string, string, string];
  const cut = name.indexOf(SEPARATOR[dialect]);
  const work = Number(difficulty);
  return {
    atMs: Number(atMs),
    account: cut < 0 ? name : name.slice(0, cut),
    worker: cut < 0 ? undefined : name.slice(cut + 1) || undefined,
    difficulty: Math.abs(work),
    outcome: work < 0 ? "invalid" : "accepted",
  };
}
