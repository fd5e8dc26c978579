import { BlockList, isIP, SocketAddress } from "node:net";
import { z } from "zod";
import type { Origin } from "#core/origin.ts";
import shipped from "./watched.json" with { type: "json" };

/** A network whose reachability is followed: what it announces, and through whom it is expected to be reached. */
const watchedNetwork = z.object({
  name: z.string().min(1),
  asn: z.number().int().min(1).max(4_294_967_295),
  prefixes: z.array(z.union([z.cidrv4(), z.cidrv6()])).min(1),
  upstreams: z.array(
    z.object({ asn: z.number().int().min(1), name: z.string(), since: z.iso.date().optional() }),
  ),
  sources: z.array(z.string()).min(1),
});
export type WatchedNetwork = z.infer<typeof watchedNetwork>;
const watchedFile = z.object({ version: z.iso.date(), networks: z.array(watchedNetwork) });

/** The shipped table, dated and with its sources. */
export function watchedNetworks(): { version: string; networks: WatchedNetwork[] } {
  return watchedFile.parse(shipped);
}

/** Finds the watched network that a prefix lies in (the same prefix or a more specific one). */
export function createMatcher(
  networks: readonly WatchedNetwork[],
): (prefix: string) => WatchedNetwork | undefined {
  const ranges = networks.flatMap((network) =>
    network.prefixes.map((prefix) => {
      const { address, bits, family } = split(prefix)!;
      const list = new BlockList();
      list.addSubnet(address, bits, family);
      return { network, list, bits, family };
    }),
  );
  return (prefix) => {
    const parts = split(prefix);
    if (!parts) return undefined;
    const { address, bits, family } = parts;
    const within = ranges.find(
      (range) => range.family === family && bits >= range.bits && range.list.check(address, family),
    );
    return within?.network;
  };
}

/** Names the watched network an address stands in: within its prefixes, or anywhere in its autonomous system. */
export function networkFinder(networks: readonly WatchedNetwork[]): (origin: Origin) => string | undefined {
  const match = createMatcher(networks);
  return ({ ip, asn }) => {
    const within = match(`${ip}/${ip.includes(":") ? 128 : 32}`);
    return (within ?? networks.find((network) => network.asn === asn))?.name;
  };
}

/** The prefix in the one form its address is written in by RFC 5952; nothing when it is none. */
export function canonicalPrefix(prefix: string): string | undefined {
  const parts = split(prefix);
  if (!parts) return undefined;
  const { address, bits, family } = parts;
  return `${family === "ipv4" ? address : new SocketAddress({ address, family }).address}/${bits}`;
}

function split(prefix: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", length = ""] = prefix.split("/");
  const version = isIP(address);
  if (version === 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = Number(length);
  return bits > (version === 4 ? 32 : 128)
    ? undefined
    : { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
}
