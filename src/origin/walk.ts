/** The search tree of an MMDB, as its metadata describe it. */
export interface Tree {
  bytes: Buffer;
  nodeCount: number;
  /** Bits of one of a node's two records: 24, 28 or 32. */
  recordSize: number;
  ipVersion: 4 | 6;
  /** Bytes of the data section that follows the tree and its separator. */
  dataBytes: number;
}

const SEPARATOR_BYTES = 16;
/** Nodes walked between two turns of the event loop: a few milliseconds. */
const NODES_A_TURN = 100_000;

/**
 * Walks the whole tree and returns, for each distinct record, the place of its data and one address that leads there.
 * Every node must be reached: a node's number that was damaged cuts off what hung under it. A node may be reached
 * twice, as aliases of the IPv4 tree are. Throws an Error that says what is wrong.
 */
export async function walkTree(tree: Tree): Promise<Map<number, string>> {
  const { nodeCount, ipVersion, dataBytes } = tree;
  const depthLimit = ipVersion === 4 ? 32 : 128;
  const read = recordReader(tree);
  const reached = new Uint8Array(nodeCount);
  const path = new Uint8Array(depthLimit);
  const records = new Map<number, string>();
  // Depth first: of each entry the number found, the depth it was found at, and the bit that led there.
  const stack: [found: number, depth: number, bit: 0 | 1][] = [[0, 0, 0]];
  let count = 0;
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const [found, depth, bit] = entry;
    if (depth > 0) path[depth - 1] = bit;
    if (found >= nodeCount) {
      if (found === nodeCount || records.has(found)) continue;
      const offset = found - nodeCount - SEPARATOR_BYTES;
      if (offset < 0 || offset >= dataBytes) throw new Error("a node points outside the data");
      records.set(found, addressOf(path, depth));
      continue;
    }
    if (reached[found] === 1) continue;
    if (depth >= depthLimit) throw new Error("the tree is deeper than an address is long");
    reached[found] = 1;
    count += 1;
    stack.push([read(found, 1), depth + 1, 1], [read(found, 0), depth + 1, 0]);
    if (count % NODES_A_TURN === 0) await new Promise(setImmediate);
  }
  if (count < nodeCount) throw new Error(`${nodeCount - count} of ${nodeCount} nodes cannot be reached`);
  return records;
}

/** Left (0) or right (1) record of a node; layouts of the MaxMind DB format 2.0, "Node Layout". */
function recordReader({ bytes, recordSize }: Tree): (node: number, side: 0 | 1) => number {
  switch (recordSize) {
    case 24:
      return (node, side) => bytes.readUIntBE(node * 6 + side * 3, 3);
    case 28:
      return (node, side) => {
        const start = node * 7;
        const middle = bytes[start + 3] as number;
        return side === 0
          ? (middle >>> 4) * 0x100_0000 + bytes.readUIntBE(start, 3)
          : (middle & 15) * 0x100_0000 + bytes.readUIntBE(start + 4, 3);
      };
    case 32:
      return (node, side) => bytes.readUInt32BE(node * 8 + side * 4);
    default:
      throw new Error(`records of ${recordSize} bits`);
  }
}

/** The first address under a path, spelled in full. */
function addressOf(path: Uint8Array, depth: number): string {
  const groups = new Array<number>(path.length / 16).fill(0);
  for (let bit = 0; bit < depth; bit += 1) {
    if (path[bit] === 1) groups[bit >> 4] = (groups[bit >> 4] as number) | (0x8000 >> (bit & 15));
  }
  if (groups.length === 8) return groups.map((group) => group.toString(16)).join(":");
  return groups.map((group) => `${group >> 8}.${group & 255}`).join(".");
}
