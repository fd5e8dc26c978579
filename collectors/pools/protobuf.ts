/** What a field held: a number for the integer and floating wire types, bytes for the length-delimited one. */
export type ProtobufValue = bigint | number | Uint8Array;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a Protocol Buffers message into field number → last value, by the wire format alone (varint as signed 64-bit
 * bigint, 64-bit and 32-bit as floating point, bytes as a view). Throws a RangeError on anything cut, unknown or without end.
 */
export function readProtobuf(bytes: Uint8Array): Map<number, ProtobufValue> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new Map<number, ProtobufValue>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    // 64 bits fit in ten groups of seven.
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new RangeError("varint without end");
  };
  const advance = (length: number): number => {
    const start = at;
    if (length < 0 || length > bytes.length - at) throw new RangeError("field beyond the end");
    at += length;
    return start;
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >>> 3;
    if (number === 0) throw new RangeError("field 0");
    switch (key & 7) {
      case 0:
        fields.set(number, varint());
        break;
      case 1:
        fields.set(number, view.getFloat64(advance(8), true));
        break;
      case 2: {
        const length = Number(varint());
        const start = advance(length);
        fields.set(number, bytes.subarray(start, start + length));
        break;
      }
      case 5:
        fields.set(number, view.getFloat32(advance(4), true));
        break;
      default:
        throw new RangeError(`wire type ${key & 7}`);
    }
  }
  return fields;
}

/** A field as a number; undefined when it is absent or no number. */
export function numberOf(value: ProtobufValue | undefined): number | undefined {
  return typeof value === "bigint" || typeof value === "number" ? Number(value) : undefined;
}

/** A field as text; undefined when it is absent, no bytes or not UTF-8. */
export function textOf(value: ProtobufValue | undefined): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return decoder.decode(value);
  } catch {
    return undefined;
  }
}
