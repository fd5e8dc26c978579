import { MAX_AHEAD_MS } from "#core/observation.ts";
import { flowsOf, type ParseLine, protocolOf, readObject } from "./log-lines.ts";

/**
 * Zeek's conn.log, as JSON or as tab-separated values (docs.zeek.org, "conn.log"): one line a connection, written
 * when it ends. Bytes are those of IP packets where Zeek has counted them, else of payload.
 */
const TEXTS = new Set(["proto", "history", "id.orig_h", "id.resp_h"]);

/** TCP flags by the letter `history` gives them: upper case for the originator, lower for the responder. */
const FLAGS: Readonly<Record<string, number>> = { s: 0x02, h: 0x12, a: 0x10, d: 0x10, f: 0x01, r: 0x04 };

/** A parser for one file: a tab-separated one names its columns first, and may name them anew. */
export function createZeekParser(exporter: string, now: () => number): ParseLine {
  let fields: readonly string[] | undefined;
  let separator = "\t";
  let unset = "-";
  return (text) => {
    if (text === "") return [];
    if (text.startsWith("{")) {
      const record = readObject(text);
      return typeof record === "string" ? record : connection(record, exporter, now());
    }
    if (text.startsWith("#")) {
      const [key = "", ...values] = text.split(text.startsWith("#separator") ? " " : separator);
      if (key === "#separator") separator = unescaped(values[0] ?? "\t");
      else if (key === "#unset_field") unset = values[0] ?? "-";
      else if (key === "#fields") fields = values;
      return [];
    }
    if (!fields) return "columns before their names";
    const values = text.split(separator);
    if (values.length !== fields.length) return `${values.length} columns where ${fields.length} are named`;
    const record: Record<string, unknown> = {};
    fields.forEach((field, index) => {
      const value = values[index];
      if (value === unset || value === undefined) return;
      record[field] = TEXTS.has(field) ? value : Number(value);
    });
    return connection(record, exporter, now());
  };
}

/** "\x09" as Zeek writes its separator. */
function unescaped(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function connection(record: Record<string, unknown>, exporter: string, nowMs: number) {
  const { ts, proto, history } = record;
  // With ISO 8601 for its JSON times, Zeek writes a text.
  const startMs =
    typeof ts === "number" ? Math.floor(ts * 1000) : typeof ts === "string" ? Date.parse(ts) : Number.NaN;
  const durationMs = Math.max(0, Math.floor(number(record.duration) * 1000));
  const protocol = protocolOf(proto);
  const letters = protocol === 6 && typeof history === "string" ? history : undefined;
  return flowsOf({
    exporter,
    src: record["id.orig_h"],
    srcPort: record["id.orig_p"],
    dst: record["id.resp_h"],
    dstPort: record["id.resp_p"],
    protocol,
    startMs,
    endMs: startMs + durationMs,
    out: {
      bytes: number(record.orig_ip_bytes) || number(record.orig_bytes),
      packets: number(record.orig_pkts),
      tcpFlags: letters === undefined ? undefined : flagsOf(letters.replaceAll(/[^A-Z]/g, "").toLowerCase()),
    },
    back: {
      bytes: number(record.resp_ip_bytes) || number(record.resp_bytes),
      packets: number(record.resp_pkts),
      tcpFlags: letters === undefined ? undefined : flagsOf(letters.replaceAll(/[^a-z]/g, "")),
    },
    latestMs: nowMs + MAX_AHEAD_MS,
  });
}

/** What Zeek has not counted it leaves out. */
function number(value: unknown): number {
  return value === undefined ? 0 : typeof value === "number" ? value : Number.NaN;
}

function flagsOf(letters: string): number {
  let flags = 0;
  for (const letter of letters) flags |= FLAGS[letter] ?? 0;
  return flags;
}
