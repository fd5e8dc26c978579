import { lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/**
 * Which addresses a delivery may go to. A destination is configured by an operator, but names resolve to what their
 * owner likes: without this a receiver could point Assay at the pool's inner network. Ranges: the special-purpose
 * registries of IANA (RFC 6890 and its updates).
 */
const INNER = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "::1/128",
  "fc00::/7",
];
/** Not even with `allowPrivate`: link-local holds the cloud's metadata service, the others are no unicast or hide an IPv4 address. */
const NEVER = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

const inner = blockList(INNER);
const never = blockList(NEVER);

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", length] = network.split("/");
    list.addSubnet(address, Number(length), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** True where no delivery may go. What is not an address at all may not be gone to either. */
export function isBlocked(address: string, allowPrivate: boolean): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  // The list unwraps ::ffff:a.b.c.d by itself and holds it against the IPv4 networks.
  const family = version === 6 ? "ipv6" : "ipv4";
  return never.check(address, family) || (!allowPrivate && inner.check(address, family));
}

/** The address a destination's name led to is not one it may have. */
export class BlockedAddressError extends Error {
  override name = "BlockedAddressError";
}

/**
 * A `lookup` for node:http that hands over vetted addresses only, so that the connection goes to what was checked.
 * One bad address among good ones refuses all: an honest receiver has none.
 */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "");
      const bad = addresses.find(({ address }) => isBlocked(address, allowPrivate));
      const [first] = addresses;
      if (bad || !first)
        return callback(new BlockedAddressError(`${hostname} is ${bad?.address ?? "nowhere"}`), "");
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
