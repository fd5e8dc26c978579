/** Messages in the form RIS Live sends them, for tests. */
interface UpdateParts {
  atSeconds?: number;
  peer?: string;
  host?: string;
  path?: unknown[];
  announce?: string[];
  withdraw?: string[];
}

export const START_SECONDS = 1_787_141_896;

export function risUpdate(parts: UpdateParts = {}): string {
  const {
    atSeconds = START_SECONDS,
    peer = "37.49.237.143",
    host = "rrc21.ripe.net",
    path,
    announce = [],
  } = parts;
  return JSON.stringify({
    type: "ris_message",
    data: {
      timestamp: atSeconds + 0.08,
      peer,
      peer_asn: "50628",
      id: "21-37-49-237-143-11938219",
      host,
      type: "UPDATE",
      path: path ?? [50_628, 4837, 131_279],
      community: [[6453, 86]],
      origin: "IGP",
      announcements: announce.length > 0 ? [{ next_hop: "37.49.237.143", prefixes: announce }] : [],
      withdrawals: parts.withdraw ?? [],
    },
  });
}

/** As many peers' updates, each at its own second. */
export const fromPeers = (count: number, parts: UpdateParts, firstPeer = 0): string[] =>
  Array.from({ length: count }, (_, index) =>
    risUpdate({
      ...parts,
      peer: `192.0.2.${firstPeer + index}`,
      atSeconds: (parts.atSeconds ?? START_SECONDS) + index,
    }),
  );
