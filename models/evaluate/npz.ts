import { inflateRawSync } from "node:zlib";

/** A NumPy array as numbers, row-major. */
export interface NumericArray {
  shape: number[];
  data: Float64Array;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const NPY_MAGIC = "\x93NUMPY";

/**
 * Reads the arrays of an .npz file: a zip (stored or deflated, no zip64) of .npy members, NumPy format 1 to 3, with
 * little-endian numbers or booleans. Throws with the member's name on anything else.
 */
export function readNpz(file: Buffer): Map<string, NumericArray> {
  const arrays = new Map<string, NumericArray>();
  for (const { name, content } of zipMembers(file)) {
    if (name.endsWith(".npy")) arrays.set(name.slice(0, -4), readNpy(name, content));
  }
  return arrays;
}

function* zipMembers(file: Buffer): Generator<{ name: string; content: Buffer }> {
  let end = file.length - 22;
  while (end >= 0 && file.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error("npz: no end of a zip directory");
  const count = file.readUInt16LE(end + 10);
  let at = file.readUInt32LE(end + 16);
  for (let member = 0; member < count; member += 1) {
    if (file.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`npz: no directory entry at byte ${at}`);
    const method = file.readUInt16LE(at + 10);
    const packedLength = file.readUInt32LE(at + 20);
    const length = file.readUInt32LE(at + 24);
    const nameLength = file.readUInt16LE(at + 28);
    const name = file.toString("utf8", at + 46, at + 46 + nameLength);
    const local = file.readUInt32LE(at + 42);
    const from = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const packed = file.subarray(from, from + packedLength);
    if (method !== 0 && method !== 8) throw new Error(`npz: ${name} is packed by method ${method}`);
    const content = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: length });
    if (content.length !== length) throw new Error(`npz: ${name} has ${content.length} of ${length} bytes`);
    yield { name, content };
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
}

const READERS: Record<string, { size: number; read: (bytes: DataView, at: number) => number }> = {
  "<f8": { size: 8, read: (bytes, at) => bytes.getFloat64(at, true) },
  "<f4": { size: 4, read: (bytes, at) => bytes.getFloat32(at, true) },
  "<i8": { size: 8, read: (bytes, at) => Number(bytes.getBigInt64(at, true)) },
  "<i4": { size: 4, read: (bytes, at) => bytes.getInt32(at, true) },
  "<i2": { size: 2, read: (bytes, at) => bytes.getInt16(at, true) },
  "<u8": { size: 8, read: (bytes, at) => Number(bytes.getBigUint64(at, true)) },
  "<u4": { size: 4, read: (bytes, at) => bytes.getUint32(at, true) },
  "<u2": { size: 2, read: (bytes, at) => bytes.getUint16(at, true) },
  "|i1": { size: 1, read: (bytes, at) => bytes.getInt8(at) },
  "|u1": { size: 1, read: (bytes, at) => bytes.getUint8(at) },
  "|b1": { size: 1, read: (bytes, at) => bytes.getUint8(at) },
};

function readNpy(name: string, content: Buffer): NumericArray {
  if (content.toString("latin1", 0, 6) !== NPY_MAGIC) throw new Error(`npz: ${name} is no .npy`);
  const wide = content.readUInt8(6) > 1;
  const headerLength = wide ? content.readUInt32LE(8) : content.readUInt16LE(8);
  const headerFrom = wide ? 12 : 10;
  const header = content.toString("latin1", headerFrom, headerFrom + headerLength);
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "none";
  const fortran = /'fortran_order':\s*True/.test(header);
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((part) => part.trim());
  const sizes = shape.map(Number);
  const reader = READERS[type];
  if (!reader) throw new Error(`npz: ${name} holds ${type}`);
  const count = sizes.reduce((product, size) => product * size, 1);
  const from = headerFrom + headerLength;
  if (content.length !== from + count * reader.size) throw new Error(`npz: ${name} is cut off`);
  const bytes = new DataView(content.buffer, content.byteOffset + from, count * reader.size);
  const data = Float64Array.from({ length: count }, (_, index) => reader.read(bytes, index * reader.size));
  return {
    shape: sizes,
    data: fortran && sizes.length === 2 ? rowMajor(data, sizes as [number, number]) : data,
  };
}

/** NumPy's column-major layout turned to rows. */
function rowMajor(data: Float64Array, [rows, columns]: [number, number]): Float64Array {
  return Float64Array.from({ length: data.length }, (_, index) => {
    const row = Math.floor(index / columns);
    return data[(index % columns) * rows + row] as number;
  });
}
