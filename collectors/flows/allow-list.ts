import { BlockList, isIP } from "node:net";
import { plainAddress } from "./address.ts";

/** Verdicts remembered, so that the list is not walked for every datagram. */
const REMEMBERED = 4096;

/**
 * Who may export: addresses and networks ("192.0.2.1", "2001:db8::/32"). Without a list anybody may; an empty list
 * is a list, and nobody may. Throws on an entry that is neither.
 */
export function createAllowList(entries: readonly string[] | undefined): (address: string) => boolean {
  if (!entries) return () => true;
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const bits = prefix === undefined ? undefined : Number(prefix);
    const valid = bits === undefined || (/^\d+$/.test(prefix!) && bits <= (family === "ipv6" ? 128 : 32));
    if (isIP(address) === 0 || !valid || rest.length > 0) {
      throw new Error(`exporter "${entry}" is neither an address nor a network`);
    }
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  const remembered = new Map<string, boolean>();
  return (from) => {
    const known = remembered.get(from);
    if (known !== undefined) return known;
    const address = plainAddress(from);
    const allowed = list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(from, allowed);
    return allowed;
  };
}
