import { CLOCK, type Clock, meaningOf, SLOT, SLOTS, type Slot } from "./elements.ts";

/** Length that says "written before the value itself" (RFC 7011 section 7). */
const VARIABLE = 65_535;
/** More fields than any exporter sends (nProbe's longest template has about 120); bounds what a template costs. */
const MAX_FIELDS = 256;

/** A template's fields, two numbers each: the enterprise, then element × 65,536 + length. Small, for there may be many. */
export type Fields = Uint32Array;

/**
 * Where everything read stands in a record of one template. Computed once a template when all lengths are fixed;
 * with variable lengths `place` moves the offsets for each record. This is the hot path of NetFlow v9 and IPFIX:
 * reading a record is a handful of loads at known offsets, and nothing is allocated but the flow itself.
 */
export interface Layout {
  /** What an options record says is about the exporter, not a flow. */
  options: boolean;
  fields: Fields;
  /** Shortest possible record in bytes, never 0: what is left of a set below that is padding. */
  minimumLength: number;
  variable: boolean;
  /** Do its records tell a sampling rate, or of the way back? Most do not, and are not asked. */
  tellsRate: boolean;
  tellsReverse: boolean;
  /** Offset in the record by slot; -1: not there. */
  at: Int32Array;
  /** Length in bytes by slot. */
  size: Int32Array;
  startClock: Clock;
  endClock: Clock;
  reverseStartClock: Clock;
  reverseEndClock: Clock;
  /** Slot each field fills, or -1. */
  slots: Int8Array;
}

const RATE_SLOTS = [SLOT.interval, SLOT.packetInterval, SLOT.sampleSize];
const REVERSE_SLOTS = [SLOT.reversePackets, SLOT.reverseBytes];

const lengthAt = (fields: Fields, index: number) => fields[index * 2 + 1]! & 65_535;

const ADDRESS_BYTES = new Map<Slot, number>([
  [SLOT.src4, 4],
  [SLOT.dst4, 4],
  [SLOT.src6, 16],
  [SLOT.dst6, 16],
]);

/** A number of 1 to 8 bytes, or an address of its own length; anything else is stepped over. */
function readable(slot: Slot, clock: Clock, length: number): boolean {
  const address = ADDRESS_BYTES.get(slot);
  if (address !== undefined) return length === address;
  if (clock === CLOCK.ntp) return length === 8;
  return length >= 1 && length <= 8;
}

/** Compiles a template, or says why it cannot describe any record. */
export function compileLayout(fields: Fields, options: boolean): Layout | { reason: string } {
  const count = fields.length / 2;
  if (count === 0) return { reason: "template without fields" };
  if (count > MAX_FIELDS) return { reason: `template of more than ${MAX_FIELDS} fields` };
  const chosen = new Int16Array(SLOTS).fill(-1);
  const ranks = new Int8Array(SLOTS).fill(-1);
  const clocks: Clock[] = new Array(SLOTS).fill(CLOCK.none);
  let minimumLength = 0;
  let variable = false;
  for (let index = 0; index < count; index += 1) {
    const length = lengthAt(fields, index);
    if (length === VARIABLE) variable = true;
    minimumLength += length === VARIABLE ? 1 : length;
    const meaning = meaningOf(fields[index * 2]!, fields[index * 2 + 1]! >>> 16);
    if (!meaning || !readable(meaning.slot, meaning.clock, length)) continue;
    if (meaning.rank <= ranks[meaning.slot]!) continue;
    ranks[meaning.slot] = meaning.rank;
    chosen[meaning.slot] = index;
    clocks[meaning.slot] = meaning.clock;
  }
  if (minimumLength === 0) return { reason: "template of records without bytes" };
  const slots = new Int8Array(count).fill(-1);
  for (let slot = 0; slot < SLOTS; slot += 1) if (chosen[slot]! >= 0) slots[chosen[slot]!] = slot;
  const layout: Layout = {
    options,
    fields,
    minimumLength,
    variable,
    tellsRate: RATE_SLOTS.some((slot) => chosen[slot]! >= 0),
    tellsReverse: REVERSE_SLOTS.some((slot) => chosen[slot]! >= 0),
    at: new Int32Array(SLOTS).fill(-1),
    size: new Int32Array(SLOTS),
    startClock: clocks[SLOT.start]!,
    endClock: clocks[SLOT.end]!,
    reverseStartClock: clocks[SLOT.reverseStart]!,
    reverseEndClock: clocks[SLOT.reverseEnd]!,
    slots,
  };
  if (!variable) placeFixed(layout);
  return layout;
}

function placeFixed(layout: Layout): void {
  let offset = 0;
  for (let index = 0; index < layout.slots.length; index += 1) {
    const slot = layout.slots[index]!;
    const length = lengthAt(layout.fields, index);
    if (slot >= 0) {
      layout.at[slot] = offset;
      layout.size[slot] = length;
    }
    offset += length;
  }
}

/**
 * The length of the record at `base`, offsets moved to it where they vary; -1 when it does not end before `end`.
 * A caller always advances by at least `minimumLength`, so no record can hold it for ever.
 */
export function place(layout: Layout, view: DataView, base: number, end: number): number {
  if (!layout.variable) return base + layout.minimumLength <= end ? layout.minimumLength : -1;
  let offset = base;
  for (let index = 0; index < layout.slots.length; index += 1) {
    let length = lengthAt(layout.fields, index);
    if (length === VARIABLE) {
      if (offset + 1 > end) return -1;
      length = view.getUint8(offset);
      offset += 1;
      if (length === 255) {
        if (offset + 2 > end) return -1;
        length = view.getUint16(offset);
        offset += 2;
      }
    }
    const slot = layout.slots[index]!;
    if (slot >= 0) {
      layout.at[slot] = offset - base;
      layout.size[slot] = length;
    }
    offset += length;
    if (offset > end) return -1;
  }
  return offset - base;
}

/** An unsigned number of 1 to 8 bytes, big-endian; beyond 2^53 it is rounded as a double is. */
export function readUnsigned(view: DataView, offset: number, length: number): number {
  switch (length) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset);
    case 4:
      return view.getUint32(offset);
    case 8:
      return view.getUint32(offset) * 4_294_967_296 + view.getUint32(offset + 4);
    default: {
      let value = 0;
      for (let index = 0; index < length; index += 1) value = value * 256 + view.getUint8(offset + index);
      return value;
    }
  }
}

/** The number in a slot, or `absent` where the template has none. */
export function readSlot(view: DataView, base: number, layout: Layout, slot: Slot, absent: number): number {
  const at = layout.at[slot]!;
  return at < 0 ? absent : readUnsigned(view, base + at, layout.size[slot]!);
}
