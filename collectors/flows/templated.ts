import { SLOT } from "./elements.ts";
import { compileLayout, type Fields, type Layout, place, readSlot } from "./layout.ts";
import { type RecordContext, rateOf, readRecord } from "./record.ts";

/** NetFlow version 9 (RFC 3954) and IPFIX (RFC 7011): sets of templates, options templates and data. */
export const HEADER9_BYTES = 20;
export const HEADER10_BYTES = 16;
const SET_HEADER_BYTES = 4;
/** Ids from here on are templates; below are the kinds of set. */
const FIRST_TEMPLATE = 256;
/** The element number of an interface, which is what version 9's scope type 2 names. */
const INTERFACE = 10;

/** What reading a message's sets gave. `flows` and `records` are NaN when a template was missing. */
export interface SetsRead {
  flows: number;
  records: number;
  reason: string | undefined;
}

/** Reads every set of a message, from behind its header to its end. Never throws, and always moves on. */
export function readSets(view: DataView, version: 9 | 10, nowMs: number, context: RecordContext): SetsRead {
  const read: SetsRead = { flows: 0, records: 0, reason: undefined };
  const [templates, options] = version === 9 ? [0, 1] : [2, 3];
  const end = view.byteLength;
  let offset = version === 9 ? HEADER9_BYTES : HEADER10_BYTES;
  while (offset + SET_HEADER_BYTES <= end) {
    const id = view.getUint16(offset);
    const length = view.getUint16(offset + 2);
    if (length < SET_HEADER_BYTES) return { ...read, reason: "set shorter than its header" };
    if (offset + length > end) return { ...read, reason: "set longer than its datagram" };
    const set = new DataView(
      view.buffer,
      view.byteOffset + offset + SET_HEADER_BYTES,
      length - SET_HEADER_BYTES,
    );
    if (id >= FIRST_TEMPLATE) readData(set, id, nowMs, context, read);
    else if (id === templates || id === options) {
      read.reason = readTemplates(set, version, id === options, nowMs, context) ?? read.reason;
    }
    offset += length;
  }
  return read;
}

function readData(set: DataView, id: number, nowMs: number, context: RecordContext, read: SetsRead): void {
  const layout = context.domain.layout(id, nowMs);
  if (!layout) {
    const { exportMs, shiftMs, uptimeMs } = context.message;
    // A copy, for the datagram's buffer is not ours to keep.
    const bytes = new Uint8Array(set.buffer, set.byteOffset, set.byteLength).slice();
    context.counters.heldSets += 1;
    context.counters.droppedSets += context.domain.hold(id, { bytes, exportMs, shiftMs, uptimeMs });
    read.flows = Number.NaN;
    read.records = Number.NaN;
    return;
  }
  const records = readRecords(set, layout, context, read);
  read.records += records;
  if (!layout.options) read.flows += records;
}

/** Reads the records of one data set; what is left below a record's length is padding. Returns how many there were. */
function readRecords(
  set: DataView,
  layout: Layout,
  context: RecordContext,
  told: { reason: string | undefined },
): number {
  const end = set.byteLength;
  let records = 0;
  let base = 0;
  while (base + layout.minimumLength <= end) {
    const length = place(layout, set, base, end);
    if (length <= 0) {
      told.reason = "record longer than its set";
      break;
    }
    records += 1;
    if (layout.options) readOptions(set, base, layout, context);
    else {
      context.counters.records += 1;
      context.counters.flows += readRecord(set, base, layout, context);
    }
    base += length;
  }
  return records;
}

/** What an options record says of sampling, for a sampler, an interface or all, and of when the exporter booted. */
function readOptions(set: DataView, base: number, layout: Layout, { domain }: RecordContext): void {
  const bootMs = readSlot(set, base, layout, SLOT.bootMs, 0);
  if (bootMs > 0) domain.bootMs = bootMs;
  const rate = rateOf(set, base, layout);
  if (rate === 0) return;
  if (layout.at[SLOT.sampler]! >= 0) {
    domain.setRate(domain.samplers, readSlot(set, base, layout, SLOT.sampler, 0), rate);
  } else if (layout.at[SLOT.interface]! >= 0) {
    domain.setRate(domain.interfaces, readSlot(set, base, layout, SLOT.interface, 0), rate);
  } else domain.sampling = rate;
}

function readTemplates(
  set: DataView,
  version: 9 | 10,
  options: boolean,
  nowMs: number,
  context: RecordContext,
): string | undefined {
  let offset = 0;
  let reason: string | undefined;
  while (offset + 4 <= set.byteLength) {
    const id = set.getUint16(offset);
    // Padding.
    if (id === 0) break;
    if (id < FIRST_TEMPLATE) return "template with a reserved id";
    const header = readTemplateHeader(set, offset, version, options);
    if (!header) return "template cut short";
    const fields = readFields(set, header.offset, header.fields, version, header.scopes);
    if (!fields) return "template cut short";
    reason = define(id, fields.fields, options, nowMs, context) ?? reason;
    offset = fields.offset;
  }
  return reason;
}

/** Where a template's fields begin, how many there are, and how many of them are its scope. */
function readTemplateHeader(
  set: DataView,
  offset: number,
  version: 9 | 10,
  options: boolean,
): { offset: number; fields: number; scopes: number } | undefined {
  if (!options) return { offset: offset + 4, fields: set.getUint16(offset + 2), scopes: 0 };
  if (offset + 6 > set.byteLength) {
    // An IPFIX withdrawal is a header of four bytes; over UDP it has no force (RFC 7011 section 8.4).
    return undefined;
  }
  const first = set.getUint16(offset + 2);
  const second = set.getUint16(offset + 4);
  if (version === 10) return { offset: offset + 6, fields: first, scopes: second };
  // Version 9 gives lengths in bytes, of four bytes a field.
  const scopes = first >>> 2;
  return { offset: offset + 6, fields: scopes + (second >>> 2), scopes };
}

function readFields(
  set: DataView,
  from: number,
  count: number,
  version: 9 | 10,
  scopes: number,
): { fields: Fields; offset: number } | undefined {
  // Checked before anything is allocated: four bytes a field at the least.
  if (from + count * 4 > set.byteLength) return undefined;
  const fields: Fields = new Uint32Array(count * 2);
  let offset = from;
  for (let index = 0; index < count; index += 1) {
    if (offset + 4 > set.byteLength) return undefined;
    let element = set.getUint16(offset);
    const length = set.getUint16(offset + 2);
    offset += 4;
    if (version === 10 && element >= 0x8000) {
      if (offset + 4 > set.byteLength) return undefined;
      element &= 0x7fff;
      fields[index * 2] = set.getUint32(offset);
      offset += 4;
    } else if (version === 9 && index < scopes) element = element === 2 ? INTERFACE : 0;
    fields[index * 2 + 1] = ((element << 16) | length) >>> 0;
  }
  return { fields, offset };
}

/** Takes a template in and reads what waited for it. */
function define(
  id: number,
  fields: Fields,
  options: boolean,
  nowMs: number,
  context: RecordContext,
): string | undefined {
  const layout = compileLayout(fields, options);
  if ("reason" in layout) return layout.reason;
  const change = context.domain.define(id, layout, nowMs);
  if (change === "same") return undefined;
  context.counters.templates += 1;
  if (change === "redefined") context.counters.redefined += 1;
  const told = { reason: undefined };
  for (const held of context.domain.release(id)) {
    const set = new DataView(held.bytes.buffer, held.bytes.byteOffset, held.bytes.byteLength);
    const message = { ...held, exporter: context.message.exporter };
    readRecords(set, layout, { ...context, message }, told);
  }
  return told.reason;
}
