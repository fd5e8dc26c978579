import { isUtf8 } from "node:buffer";
import type { Share } from "#core/observation.ts";
import { numberOf, type ProtobufValue, readProtobuf, textOf } from "./protobuf.ts";
import { type PoolContext, toShare } from "./share.ts";
import type { ZmtpMessage } from "./zmtp.ts";

/** `ShareRelay.WireFormat` of Miningcore, under the mask of its flags. */
const FORMAT_MASK = 0xf;
const JSON_FORMAT = 1;
const PROTOBUF_FORMAT = 2;

/** Units of protobuf-net's `bcl.DateTime`, days to milliseconds by their number, in milliseconds; ticks are 100 ns. */
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000, 1];
const TICKS = 5;
const TICKS_PER_MS = 10_000n;

/**
 * Reads a message of Miningcore's `ShareRelay`: topic (the pool's id), flags, `Share`. Undefined for another pool: a
 * subscription asks for the beginning of a topic only, so `xmr1` also brings `xmr10`. A string says why it is not taken.
 */
export function readRelayMessage(
  message: ZmtpMessage,
  poolId: string,
  context: PoolContext,
): Share | string | undefined {
  const [topic, flags, payload] = message;
  if (topic === undefined || flags === undefined || payload === undefined || message.length !== 3) {
    return `message: ${message.length} frames, not 3`;
  }
  if (topic.toString() !== poolId) return undefined;
  if (flags.length !== 4) return `flags: ${flags.length} bytes, not 4`;
  // The publisher writes its machine's byte order; Miningcore's own receiver tells it the same way.
  const format = flags.readInt32LE() & FORMAT_MASK || flags.readInt32BE() & FORMAT_MASK;
  try {
    if (format === PROTOBUF_FORMAT) return readShare(payload, context);
    if (format === JSON_FORMAT) return readJsonShare(payload, context);
    return `flags: format ${format} is neither JSON nor Protocol Buffers`;
  } catch (cause) {
    if (cause instanceof RangeError) return `payload: ${cause.message}`;
    // The parser's own message would repeat what was sent.
    if (cause instanceof SyntaxError) return "payload: no JSON";
    throw cause;
  }
}

/** `Share` {2 miner, 3 worker, 5 agent, 6 address, 8 difficulty, 15 created}, as protobuf-net writes it. */
function readShare(payload: Buffer, context: PoolContext): Share | string {
  const fields = readProtobuf(payload);
  // Only accepted shares are relayed, their difficulty divided by the algorithm's multiplier already.
  return toShare(context, {
    account: textOf(fields.get(2)),
    worker: textOf(fields.get(3)),
    agent: textOf(fields.get(5)),
    ip: textOf(fields.get(6)),
    difficulty: numberOf(fields.get(8)) ?? Number.NaN,
    outcome: "accepted",
    atMs: readDate(fields.get(15)) ?? context.nowMs,
  });
}

/** The same by its names: Miningcore's receiver takes it, though its relay writes no JSON today. */
function readJsonShare(payload: Buffer, context: PoolContext): Share | string {
  if (!isUtf8(payload)) return "payload: not UTF-8";
  const share: unknown = JSON.parse(payload.toString());
  if (typeof share !== "object" || share === null) return "payload: no object";
  const { miner, worker, userAgent, ipAddress, difficulty, created } = share as Record<string, unknown>;
  // A date without its zone would be read in this machine's own.
  const atMs = typeof created === "string" && created.endsWith("Z") ? Date.parse(created) : Number.NaN;
  return toShare(context, {
    account: miner,
    worker,
    agent: userAgent,
    ip: ipAddress,
    difficulty: typeof difficulty === "number" ? difficulty : Number.NaN,
    outcome: "accepted",
    atMs: Number.isNaN(atMs) ? context.nowMs : atMs,
  });
}

/**
 * An instant as protobuf-net's bcl.proto has it: {1 zigzag value, 2 unit} since 1970, and Miningcore's clock is UTC.
 * Undefined when it is absent or the least or greatest date there is, which stands for none.
 */
function readDate(value: ProtobufValue | undefined): number | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  const fields = readProtobuf(value);
  const zigzag = fields.get(1) ?? 0n;
  const unit = numberOf(fields.get(2)) ?? 0;
  if (typeof zigzag !== "bigint") return undefined;
  const unsigned = BigInt.asUintN(64, zigzag);
  const count = (unsigned >> 1n) ^ -(unsigned & 1n);
  if (unit === TICKS) return Number(count / TICKS_PER_MS);
  const unitMs = UNITS_MS[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}
