import { randomFrom } from "../../src/core/random.ts";

/** What is replayed: as softflowd exports it, about 30 flows a datagram, from a few thousand miners to one pool. */
export interface Replay {
  datagrams: Buffer[];
  flows: number;
  /** Writes the sequence number a datagram bears in its nth replay, so that the count never breaks. */
  number(datagram: number, round: number): void;
}

/** As softflowd fills them. */
export const FLOWS_A_DATAGRAM = { v5: 30, v9: 28 };
const DATAGRAMS = 150;
/** Fields of softflowd's version 9 template for IPv4, with its record length of 42 bytes. */
const TEMPLATE: readonly [element: number, length: number][] = [
  [8, 4],
  [12, 4],
  [22, 4],
  [21, 4],
  [1, 4],
  [2, 4],
  [10, 4],
  [14, 4],
  [61, 1],
  [136, 1],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [60, 1],
  [5, 1],
];

/** The same synthetic flows in either version. */
export function makeReplay(version: "v5" | "v9"): Replay {
  const random = randomFrom(7);
  const perDatagram = FLOWS_A_DATAGRAM[version];
  const seconds = Math.floor(Date.now() / 1000);
  const write = version === "v5" ? writeNetflow5 : writeNetflow9;
  const datagrams = Array.from({ length: DATAGRAMS }, (_, index) =>
    write(
      Array.from({ length: perDatagram }, () => Math.floor(random() * 4096)),
      seconds,
      index === 0,
    ),
  );
  return {
    datagrams,
    flows: DATAGRAMS * perDatagram,
    number(index, round) {
      const datagram = round * DATAGRAMS + index;
      if (version === "v5") datagrams[index]!.writeUInt32BE((datagram * perDatagram) >>> 0, 16);
      else datagrams[index]!.writeUInt32BE(datagram >>> 0, 12);
    },
  };
}

function writeNetflow5(miners: readonly number[], seconds: number): Buffer {
  const datagram = Buffer.alloc(24 + miners.length * 48);
  datagram.writeUInt16BE(5, 0);
  datagram.writeUInt16BE(miners.length, 2);
  datagram.writeUInt32BE(60_000, 4);
  datagram.writeUInt32BE(seconds, 8);
  miners.forEach((miner, index) => {
    const base = 24 + index * 48;
    datagram.writeUInt32BE(0x0a000000 + miner, base);
    datagram.writeUInt32BE(0xc0000209, base + 4);
    datagram.writeUInt32BE(20 + (miner & 15), base + 16);
    datagram.writeUInt32BE(2000 + miner, base + 20);
    datagram.writeUInt32BE(30_000, base + 24);
    datagram.writeUInt32BE(59_000, base + 28);
    datagram.writeUInt16BE(40_000 + (miner & 4095), base + 32);
    datagram.writeUInt16BE(3333, base + 34);
    datagram.writeUInt8(0x18, base + 37);
    datagram.writeUInt8(6, base + 38);
  });
  return datagram;
}

function writeNetflow9(miners: readonly number[], seconds: number, withTemplate: boolean): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(9, 0);
  header.writeUInt16BE(miners.length, 2);
  header.writeUInt32BE(60_000, 4);
  header.writeUInt32BE(seconds, 8);
  const template = Buffer.alloc(8 + TEMPLATE.length * 4);
  template.writeUInt16BE(template.length, 2);
  template.writeUInt16BE(1024, 4);
  template.writeUInt16BE(TEMPLATE.length, 6);
  TEMPLATE.forEach(([element, length], index) => {
    template.writeUInt16BE(element, 8 + index * 4);
    template.writeUInt16BE(length, 10 + index * 4);
  });
  const recordBytes = TEMPLATE.reduce((sum, [, length]) => sum + length, 0);
  const data = Buffer.alloc(4 + miners.length * recordBytes);
  data.writeUInt16BE(1024, 0);
  data.writeUInt16BE(data.length, 2);
  miners.forEach((miner, index) => {
    const base = 4 + index * recordBytes;
    const values = [0x0a000000 + miner, 0xc0000209, 30_000, 59_000, 2000 + miner, 20 + (miner & 15), 0, 0];
    values.forEach((value, at) => {
      data.writeUInt32BE(value, base + at * 4);
    });
    data.writeUInt16BE(40_000 + (miner & 4095), base + 34);
    data.writeUInt16BE(3333, base + 36);
    data.writeUInt8(6, base + 38);
    data.writeUInt8(0x18, base + 39);
  });
  return Buffer.concat(withTemplate ? [header, template, data] : [header, data]);
}
