import { spawn } from "node:child_process";
import { once } from "node:events";
import { LineFramer } from "./line-framer.ts";
import { plainAddress } from "./proxy-protocol.ts";

/** Told the least TCP round trip to a peer, in milliseconds; `peer` as `peerKey` names it. */
export type TakeRoundTrip = (peer: string, milliseconds: number) => void;

/** A line of `ss` has about 600 bytes. */
const MAX_LINE_BYTES = 16_384;

/** How a peer is named. */
export function peerKey(address: string, port: number): string {
  return `${plainAddress(address)} ${port}`;
}

/**
 * Asks Linux's kernel, through iproute2's `ss`, for the round trips of the connections accepted on a local port; Node
 * gives no access to TCP_INFO. The answer (12 MB for 20,000 connections) is read piece by piece, so that forwarding goes on
 * in between. False where there is no such tool or it fails: then nothing is known, and absent is honest.
 */
export async function readKernelRoundTrips(
  port: number,
  signal: AbortSignal,
  take: TakeRoundTrip,
): Promise<boolean> {
  const child = spawn("ss", ["-tinHO", "state", "established", "sport", "=", `:${port}`], {
    signal,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const framer = new LineFramer(MAX_LINE_BYTES);
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of framer.push(chunk)) readSocketLine(line, take);
  });
  try {
    const [code] = await once(child, "close");
    return code === 0;
  } catch {
    // No such tool, or an abort: both are said by the answer.
    return false;
  }
}

/**
 * Reads a line of `ss -tinHO`: receive queue, send queue, local and peer address, then `name:value` words of TCP_INFO.
 * `minrtt` is the least of a sliding window of five minutes (net.ipv4.tcp_min_rtt_wlen); where it is absent the
 * smoothed `rtt` stands in. Any other line says nothing.
 */
export function readSocketLine(line: string, take: TakeRoundTrip): void {
  const peer = /^\s*\d+\s+\d+\s+\S+\s+\[?([0-9a-fA-F.:]+(?:%\w+)?)\]?:(\d+)\s/.exec(line);
  const least = /\sminrtt:([\d.]+)/.exec(line) ?? /\srtt:([\d.]+)\//.exec(line);
  const milliseconds = Number(least?.[1]);
  if (peer && milliseconds > 0) take(peerKey(peer[1]!, Number(peer[2])), milliseconds);
}
