import { parseIpv4 } from "#core/address.ts";
import { hashText } from "#core/sketch.ts";

/** The network an address stands in, as a number: its /24 of IPv4, its /48 of IPv6 (by hash). */
export function networkOf(ip: string): number {
  const ipv4 = parseIpv4(ip);
  if (ipv4 >= 0) return Math.floor(ipv4 / 256);
  return hashText(ip.split(":").slice(0, 3).join(":")) + 2 ** 24;
}
