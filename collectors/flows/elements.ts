/**
 * The information elements Assay reads, out of the several hundred that exist. NetFlow v9 field types and IPFIX
 * information elements share their numbers (RFC 7012 section 4; the IANA "ipfix" registry); everything else in a
 * record is stepped over by its length.
 */

/** One place in a record's layout for each thing read. Several elements may stand for the same thing. */
export const SLOT = {
  src4: 0,
  dst4: 1,
  src6: 2,
  dst6: 3,
  srcPort: 4,
  dstPort: 5,
  protocol: 6,
  tcpFlags: 7,
  bytes: 8,
  packets: 9,
  start: 10,
  end: 11,
  durationMs: 12,
  reverseBytes: 13,
  reversePackets: 14,
  reverseTcpFlags: 15,
  reverseStart: 16,
  reverseEnd: 17,
  interface: 18,
  sampler: 19,
  interval: 20,
  packetInterval: 21,
  packetSpace: 22,
  sampleSize: 23,
  samplePopulation: 24,
  bootMs: 25,
  clientLatencyMs: 26,
  serverLatencyMs: 27,
} as const;
export type Slot = (typeof SLOT)[keyof typeof SLOT];
export const SLOTS = 28;

/** How an instant is written. `uptime` is relative to the exporter's boot, `delta` microseconds before the export. */
export const CLOCK = { none: 0, delta: 1, uptime: 2, seconds: 3, ntp: 4, milliseconds: 5 } as const;
export type Clock = (typeof CLOCK)[keyof typeof CLOCK];

/** What an element means here; where two elements of a template mean the same, the higher `rank` is read. */
export interface Meaning {
  slot: Slot;
  rank: number;
  clock: Clock;
}

/** Reverse direction of a bidirectional flow: every element again under this enterprise number (RFC 5103 section 6.1). */
const REVERSE = 29_305;
/** nProbe's own elements. */
const NTOP = 35_632;

const meanings = new Map<number, Meaning>();
const key = (enterprise: number, element: number) => enterprise * 65_536 + element;

function means(slot: Slot, elements: readonly number[], enterprise = 0): void {
  elements.forEach((element, index) => {
    meanings.set(key(enterprise, element), { slot, rank: elements.length - index, clock: CLOCK.none });
  });
}

// Counts since the last record come before totals, then what left the box, then Cisco ASA's initiator counts.
const BYTES = [1, 85, 23, 231];
const PACKETS = [2, 86, 24, 298];
means(SLOT.src4, [8]);
means(SLOT.dst4, [12]);
means(SLOT.src6, [27]);
means(SLOT.dst6, [28]);
means(SLOT.srcPort, [7, 182, 180]);
means(SLOT.dstPort, [11, 183, 181]);
means(SLOT.protocol, [4]);
means(SLOT.tcpFlags, [6]);
means(SLOT.bytes, BYTES);
means(SLOT.packets, PACKETS);
means(SLOT.durationMs, [161]);
means(SLOT.reverseBytes, [232]);
means(SLOT.reversePackets, [299]);
means(SLOT.reverseBytes, BYTES, REVERSE);
means(SLOT.reversePackets, PACKETS, REVERSE);
means(SLOT.reverseTcpFlags, [6], REVERSE);
means(SLOT.interface, [10]);
means(SLOT.sampler, [48, 302]);
means(SLOT.interval, [50, 34]);
means(SLOT.packetInterval, [305]);
means(SLOT.packetSpace, [306]);
means(SLOT.sampleSize, [309]);
means(SLOT.samplePopulation, [310]);
means(SLOT.bootMs, [160]);
means(SLOT.clientLatencyMs, [123], NTOP);
means(SLOT.serverLatencyMs, [124], NTOP);
// nProbe writes its elements into NetFlow v9 with 57,472 added.
means(SLOT.clientLatencyMs, [57_595]);
means(SLOT.serverLatencyMs, [57_596]);

const INSTANTS: readonly [clock: Clock, start: number, end: number][] = [
  [CLOCK.uptime, 22, 21],
  [CLOCK.seconds, 150, 151],
  [CLOCK.milliseconds, 152, 153],
  [CLOCK.ntp, 154, 155],
  [CLOCK.ntp, 156, 157],
  [CLOCK.delta, 158, 159],
];
for (const [clock, start, end] of INSTANTS) {
  meanings.set(key(0, start), { slot: SLOT.start, rank: clock, clock });
  meanings.set(key(0, end), { slot: SLOT.end, rank: clock, clock });
  meanings.set(key(REVERSE, start), { slot: SLOT.reverseStart, rank: clock, clock });
  meanings.set(key(REVERSE, end), { slot: SLOT.reverseEnd, rank: clock, clock });
}

/** What this element means to Assay, or nothing: then it is skipped. */
export function meaningOf(enterprise: number, element: number): Meaning | undefined {
  return meanings.get(key(enterprise, element));
}
