import { createCryptonote } from "./cryptonote.ts";
import { createEthereum } from "./ethereum.ts";
import type { Direction, Moment } from "./ledger-context.ts";
import { isRecord, type Message } from "./message.ts";
import { createMining } from "./mining.ts";
import type { SessionLedger } from "./session-ledger.ts";

/** Reads one connection's messages and keeps its ledger. Never throws, whatever the messages hold. */
export interface Dialect {
  fromMiner(message: Message, moment: Moment): void;
  fromPool(message: Message, moment: Moment): void;
}

/** What a dialect is made with, once a message told which it is. */
export type DialectFactory = (ledger: SessionLedger) => Dialect;

/** Tells by one message which dialect a connection speaks. Null: it does not tell. */
export function recognise({ method, params, result }: Message, direction: Direction): DialectFactory | null {
  if (method === null) {
    const work = direction === "down" && Array.isArray(result) && result.length >= 3;
    const words =
      work && result.slice(0, 3).every((word) => typeof word === "string" && /^0x[0-9a-f]{64}$/i.test(word));
    return words ? createEthereum : null;
  }
  if (method.startsWith("mining.")) return createMining;
  if (direction === "down") return method === "job" && isRecord(params) ? createCryptonote : null;
  if (method.startsWith("eth_")) return createEthereum;
  if (!isRecord(params)) return null;
  const known = ("login" in params && method === "login") || (method === "submit" && "job_id" in params);
  return known || method === "keepalived" ? createCryptonote : null;
}

/** What a connection that is not line-framed JSON carries, as far as its first bytes say. */
export type Opaque = "tls" | "http" | "unknown";

/**
 * Tells what a miner's first bytes begin. Null: a JSON message, or nothing but white space yet. Stratum V2 begins with
 * a Noise handshake, 32 bytes (64 in its older form) that look random: it is among the unknown.
 */
export function sniff(bytes: Buffer): Opaque | null {
  const first = bytes.findIndex((byte) => byte > 0x20);
  if (bytes[0] === 0x16) return "tls";
  if (first < 0)
    return bytes.some((byte) => byte !== 0x0a && byte !== 0x0d && byte !== 0x20 && byte !== 0x09)
      ? "unknown"
      : null;
  if (bytes[first] === 0x7b) return null;
  return /^(?:GET|POST|HEAD|PUT|OPTIONS|CONNECT) /.test(bytes.toString("latin1", first, first + 8))
    ? "http"
    : "unknown";
}
