import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { plainAddress } from "./proxy-protocol.ts";

/** Least TCP round trip in milliseconds by the peer's "address port". */
export type RoundTrips = ReadonlyMap<string, number>;

/** A listing of 20,000 connections has about 10 MB. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** How a peer is named in RoundTrips. */
export function peerKey(address: string, port: number): string {
  return `${plainAddress(address)} ${port}`;
}

/**
 * Asks Linux's kernel, through iproute2's `ss`, for the round trips of the connections accepted on a local port. Node
 * gives no access to TCP_INFO. Null where there is no such tool (other systems, slim containers): then nothing is known.
 */
export async function readKernelRoundTrips(port: number, signal: AbortSignal): Promise<RoundTrips | null> {
  try {
    const { stdout } = await promisify(execFile)(
      "ss",
      ["-tinHO", "state", "established", "sport", "=", `:${port}`],
      { signal, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
    );
    return parseSocketStatistics(stdout);
  } catch {
    // Absent is honest: no tool, no permission or an abort all mean that no round trip is known.
    return null;
  }
}

/**
 * Reads `ss -tinHO`: receive queue, send queue, local and peer address, then `name:value` words of TCP_INFO. `minrtt`
 * is the least of a sliding window of five minutes (net.ipv4.tcp_min_rtt_wlen); where it is absent the smoothed `rtt` stands in.
 */
export function parseSocketStatistics(text: string): RoundTrips {
  const trips = new Map<string, number>();
  for (const line of text.split("\n")) {
    const peer = /^\s*\d+\s+\d+\s+\S+\s+\[?([0-9a-fA-F.:]+(?:%\w+)?)\]?:(\d+)\s/.exec(line);
    const least = /\sminrtt:([\d.]+)/.exec(line) ?? /\srtt:([\d.]+)\//.exec(line);
    const milliseconds = Number(least?.[1]);
    if (peer && milliseconds > 0) trips.set(peerKey(peer[1]!, Number(peer[2])), milliseconds);
  }
  return trips;
}
