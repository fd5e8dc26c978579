/**
 * Writes a small MMDB (MaxMind DB format 2.0) for tests: what an operator's own databases say is
 * then known to the letter. Networks must not overlap.
 */
export function writeMmdb(options: {
  type: string;
  buildEpochSeconds: number;
  networks: readonly { prefix: string; record: object }[];
  /** Bits of one of a node's two records. */
  recordSize?: 24 | 28 | 32;
}): Buffer {
  const { recordSize = 24 } = options;
  type Slot = number | { data: number } | null;
  const nodes: [Slot, Slot][] = [[null, null]];
  const data: Buffer[] = [];
  let dataBytes = 0;
  const places = new Map<string, number>();
  for (const { prefix, record } of options.networks) {
    const json = JSON.stringify(record);
    if (!places.has(json)) {
      places.set(json, dataBytes);
      const bytes = encode(record);
      data.push(bytes);
      dataBytes += bytes.length;
    }
    const path = bitsOf(prefix);
    let node = 0;
    for (const [index, bit] of path.entries()) {
      const slots = nodes[node] as [Slot, Slot];
      if (index === path.length - 1) slots[bit] = { data: places.get(json) as number };
      else if (typeof slots[bit] === "number") node = slots[bit];
      else node = slots[bit] = nodes.push([null, null]) - 1;
    }
  }
  const tree = Buffer.alloc((nodes.length * recordSize) / 4);
  for (const [index, slots] of nodes.entries()) {
    for (const side of [0, 1] as const) {
      const slot = slots[side];
      const value =
        slot === null ? nodes.length : typeof slot === "number" ? slot : nodes.length + 16 + slot.data;
      const start = (index * recordSize) / 4;
      if (recordSize === 28) {
        // The middle byte holds the upper four bits of both.
        tree.writeUIntBE(value & 0xff_ffff, start + side * 4, 3);
        tree[start + 3] = (tree[start + 3] as number) | ((value >>> 24) << (side === 0 ? 4 : 0));
      } else tree.writeUIntBE(value, start + (side * recordSize) / 8, recordSize / 8);
    }
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: options.buildEpochSeconds,
    database_type: options.type,
    description: { en: "test" },
    ip_version: 6,
    languages: ["en"],
    node_count: nodes.length,
    record_size: recordSize,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"),
    metadata,
  ]);
}

/** Path through the IPv6 tree; IPv4 lies under ::/96. */
function bitsOf(prefix: string): (0 | 1)[] {
  const [address = "", length = ""] = prefix.split("/");
  const bits = (value: number, width: number) =>
    Array.from({ length: width }, (_, index) => ((value >>> (width - 1 - index)) & 1) as 0 | 1);
  if (address.includes(".")) {
    const octets = address.split(".").flatMap((octet) => bits(Number(octet), 8));
    return [...new Array<0>(96).fill(0), ...octets.slice(0, Number(length))];
  }
  const [left = "", right = ""] = address.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return all.flatMap((group) => bits(group, 16)).slice(0, Number(length));
}

/** Maps (7), arrays (11), texts (2), booleans (14) and unsigned integers (6, 9) of fewer than 285 items or bytes. */
function encode(value: unknown): Buffer {
  if (typeof value === "string")
    return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === "boolean") return control(14, value ? 1 : 0);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as object);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap((pair) => pair.map(encode))]);
}

function control(type: number, size: number): Buffer {
  const [low, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type > 7 ? [low, type - 7, ...more] : [(type << 5) | low, ...more]);
}
