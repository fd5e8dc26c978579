/** One frame of ZMTP 3.0 (rfc.zeromq.org/spec/23): a part of a message, or a command between the two ends. */
export interface ZmtpFrame {
  command: boolean;
  /** Another part of the same message follows. */
  more: boolean;
  /** A view into the bytes it was read from. */
  body: Buffer;
}

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** Bytes of a greeting, always. */
export const GREETING_BYTES = 64;

/** What a client says first: ZMTP 3.0, mechanism NULL. */
export function writeGreeting(): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting.write("NULL", 12, "latin1");
  return greeting;
}

/**
 * Looks at a greeting, or at as much of it as came. True when it is whole and can be talked to. Throws a RangeError as
 * soon as it cannot: older ends and strangers never send the rest.
 */
export function acceptGreeting(bytes: Buffer): boolean {
  if ((bytes.length > 0 && bytes[0] !== 0xff) || (bytes.length > 9 && bytes[9] !== 0x7f)) {
    throw new RangeError("no ZeroMQ greeting");
  }
  if (bytes.length > 10 && bytes[10]! < 3) throw new RangeError("ZMTP older than 3.0");
  if (bytes.length < GREETING_BYTES) return false;
  const mechanism = bytes.toString("latin1", 12, 32).replace(/\0+$/, "");
  if (mechanism !== "NULL") {
    const asked = JSON.stringify(mechanism);
    throw new RangeError(`asks for mechanism ${asked}; only "NULL", without encryption, is spoken`);
  }
  return true;
}

/** The bytes of a frame that is the last of its message. */
export function writeFrame(body: Uint8Array, command = false): Buffer {
  const flags = command ? COMMAND : 0;
  if (body.length < 256) return Buffer.concat([Buffer.of(flags, body.length), body]);
  const head = Buffer.alloc(9);
  head[0] = flags | LONG;
  head.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([head, body]);
}

/**
 * Reads the frame that begins at `at`, and where it ends; undefined while it is not whole. Throws a RangeError on
 * reserved flags and, before its bytes have come, on a frame above `maxBytes`.
 */
export function readFrame(
  bytes: Buffer,
  at: number,
  maxBytes: number,
): { frame: ZmtpFrame; end: number } | undefined {
  const flags = bytes[at];
  if (flags === undefined) return undefined;
  const command = (flags & COMMAND) !== 0;
  if (flags > 7 || (command && (flags & MORE) !== 0)) throw new RangeError(`frame flags ${flags}`);
  const start = at + ((flags & LONG) === 0 ? 2 : 9);
  if (bytes.length < start) return undefined;
  const length = (flags & LONG) === 0 ? bytes[at + 1]! : Number(bytes.readBigUInt64BE(at + 1));
  if (length > maxBytes) throw new RangeError(`a frame of ${length} bytes`);
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { frame: { command, more: (flags & MORE) !== 0, body: bytes.subarray(start, end) }, end };
}

/** Body of the command READY with the one property that NULL wants of a subscriber. */
export function writeReady(socketType: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(socketType.length);
  return Buffer.from(`\x05READY\x0bSocket-Type${length.toString("latin1")}${socketType}`, "latin1");
}

/**
 * Reads the command that must follow the greeting, and gives the other end's socket type. Throws a RangeError with the
 * other end's reason when it refuses, and on anything else.
 */
export function readReady(body: Buffer): string {
  const name = body.toString("latin1", 1, 1 + (body[0] ?? 0));
  let at = 1 + name.length;
  if (name === "ERROR") {
    const reason = body.toString("latin1", at + 1, at + 1 + (body[at] ?? 0));
    throw new RangeError(`refused with ${JSON.stringify(reason)}`);
  }
  if (name !== "READY") throw new RangeError("no READY after the greeting");
  let socketType = "";
  while (at < body.length) {
    const valueAt = at + 1 + body[at]! + 4;
    // Throws a RangeError of its own when it is cut.
    const end = valueAt + body.readUInt32BE(valueAt - 4);
    if (end > body.length) throw new RangeError("READY cut short");
    const property = body.toString("latin1", at + 1, valueAt - 4);
    // Names of properties are compared without regard to case.
    if (property.toLowerCase() === "socket-type") socketType = body.toString("latin1", valueAt, end);
    at = end;
  }
  return socketType;
}
