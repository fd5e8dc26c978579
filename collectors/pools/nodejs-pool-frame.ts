import type { Share } from "#core/observation.ts";
import { numberOf, readProtobuf, textOf } from "./protobuf.ts";
import { type PoolContext, toShare } from "./share.ts";
import { spread } from "./spread.ts";

/** `MESSAGETYPE` of nodejs-pool's data.proto. Blocks are not shares and are passed over. */
const SHARE = 0;
const INVALID_SHARE = 2;

/**
 * What a frame held, or why it is not taken: another `key`, or a bad `frame`. A `dated` frame carries its millisecond, so
 * the same bytes again are the same frame sent again.
 */
export type Frame = { shares: Share[]; dated: boolean } | { refused: "key" | "frame"; reason: string };

/**
 * Reads one `WSData` frame {1 type, 2 key, 3 message, 4 number} as a leaf posts it. A `Share` {2 address, 4 payment id, 11
 * milliseconds, 12 worker, 15 number of shares, 16 hashes} stands for all shares of a worker since the last; since when
 * it gathered them the leaf does not say, so they stand at its own time. `InvalidShare` {1 address, 2 payment id, 3 worker, 4 count} tells no
 * difficulty; it counts as 1. `isKey` decides about the leaf's key.
 */
export function readFrame(body: Uint8Array, context: PoolContext, isKey: (key: string) => boolean): Frame {
  try {
    const frame = readProtobuf(body);
    const type = numberOf(frame.get(1));
    const message = frame.get(3);
    if (type === undefined || !(message instanceof Uint8Array)) return bad("no type or message");
    if (!isKey(textOf(frame.get(2)) ?? "")) return { refused: "key", reason: "another key" };
    if (type === SHARE) return readShare(message, context);
    if (type === INVALID_SHARE) return readInvalid(message, context);
    return { shares: [], dated: false };
  } catch (cause) {
    if (cause instanceof RangeError) return bad(`not a frame: ${cause.message}`);
    throw cause;
  }
}

function bad(reason: string): Frame {
  return { refused: "frame", reason };
}

function readShare(message: Uint8Array, context: PoolContext): Frame {
  const fields = readProtobuf(message);
  const atMs = numberOf(fields.get(11)) ?? Number.NaN;
  // Older leaves send `shares` (1) instead of `raw_shares` (16), and one frame a share.
  const hashes = numberOf(fields.get(16)) ?? numberOf(fields.get(1)) ?? Number.NaN;
  const count = Math.max(numberOf(fields.get(15)) ?? 1, 1);
  const made = spread(context, {
    account: accountOf(fields.get(2), fields.get(4)),
    worker: textOf(fields.get(12)),
    difficulty: hashes,
    count,
    outcome: "accepted",
    fromMs: atMs,
    toMs: atMs,
  });
  return typeof made === "string" ? bad(made) : { shares: made, dated: true };
}

function readInvalid(message: Uint8Array, context: PoolContext): Frame {
  const fields = readProtobuf(message);
  const count = Math.max(numberOf(fields.get(4)) ?? 1, 1);
  const share = toShare(context, {
    account: accountOf(fields.get(1), fields.get(2)),
    worker: textOf(fields.get(3)),
    difficulty: 1,
    outcome: "invalid",
    atMs: context.nowMs,
  });
  if (typeof share === "string") return bad(share);
  return { shares: Array.from({ length: Math.min(count, 1000) }, () => share), dated: false };
}

/** With a payment id one address holds many accounts, as at an exchange. */
function accountOf(address: Parameters<typeof textOf>[0], paymentId: Parameters<typeof textOf>[0]) {
  const id = textOf(paymentId);
  return id ? `${textOf(address)}.${id}` : textOf(address);
}
