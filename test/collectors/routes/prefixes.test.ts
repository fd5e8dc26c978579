import { describe, expect, it } from "vitest";
import { createPrefixes } from "../../../collectors/routes/prefixes.ts";
import { readRisMessage } from "../../../collectors/routes/ris-message.ts";
import { createMatcher, networkFinder, watchedNetworks } from "../../../collectors/routes/watched.ts";
import type { Route } from "../../../src/core/observation.ts";
import { originOf } from "../../support/shares.ts";
import { fromPeers, risUpdate, START_SECONDS } from "./messages.ts";

const { networks } = watchedNetworks();
const PREFIX = "175.45.176.0/24";
const belief = { minimumPeers: 3, minimumWithdrawals: 5 };

function follow() {
  const prefixes = createPrefixes(networks, belief);
  const take = (texts: readonly string[]): Route[] =>
    texts.flatMap((text) => {
      const reading = readRisMessage(text);
      if (reading.kind !== "update") throw new Error(reading.kind);
      return prefixes.take(reading.update);
    });
  return { prefixes, take, state: () => prefixes.states()[0] };
}

describe("a watched prefix", () => {
  it("is believed once enough peers announce it, and told once", () => {
    const { take, state } = follow();
    expect(take(fromPeers(2, { announce: [PREFIX] }))).toEqual([]);
    expect(state()).toMatchObject({ visibility: "unknown", visiblePeers: 2 });
    expect(take(fromPeers(6, { announce: [PREFIX] }, 2))).toEqual([
      {
        type: "route",
        atMs: START_SECONDS * 1000 + 80,
        prefix: PREFIX,
        event: "announce",
        path: [50_628, 4837, 131_279],
        originAs: 131_279,
        peer: "192.0.2.2",
        collector: "rrc21.ripe.net",
      },
    ]);
    expect(state()).toEqual({
      network: "star-kp",
      prefix: PREFIX,
      visibility: "visible",
      peers: 8,
      visiblePeers: 8,
      origins: [131_279],
      upstreams: [4837],
      unexpected: [],
    });
  });

  it("is partly seen, then gone, then back, as peers withdraw and announce; single peers change nothing", () => {
    const { take, state } = follow();
    take(fromPeers(8, { announce: [PREFIX] }));
    expect(take(fromPeers(2, { withdraw: [PREFIX] }))).toEqual([]);
    expect(state()?.visibility).toBe("visible");
    take(fromPeers(5, { withdraw: [PREFIX] }));
    expect(state()).toMatchObject({ visibility: "partly", visiblePeers: 3 });
    expect(take(fromPeers(8, { withdraw: [PREFIX] }))).toMatchObject([{ event: "withdraw", prefix: PREFIX }]);
    expect(state()).toMatchObject({ visibility: "gone", visiblePeers: 0 });
    expect(take(fromPeers(2, { announce: [PREFIX] }))).toEqual([]);
    expect(state()?.visibility).toBe("gone");
    expect(take(fromPeers(8, { announce: [PREFIX] }))).toMatchObject([{ event: "announce" }]);
  });

  it("tells an upstream nobody expects, once enough peers see it, and again when it comes back", () => {
    const { take, state } = follow();
    take(fromPeers(8, { announce: [PREFIX] }));
    const strange = { announce: [PREFIX], path: [50_628, 3356, 131_279, 131_279] };
    expect(take(fromPeers(2, strange))).toEqual([]);
    expect(take(fromPeers(4, strange))).toMatchObject([
      { event: "announce", path: strange.path, peer: "192.0.2.2" },
    ]);
    expect(state()?.upstreams.toSorted()).toEqual([3356, 4837]);
    expect(take(fromPeers(8, { announce: [PREFIX] }))).toEqual([]);
    expect(take(fromPeers(3, strange)).length).toBe(1);
  });

  it("takes the second expected upstream for no news", () => {
    const { take } = follow();
    take(fromPeers(8, { announce: [PREFIX] }));
    expect(take(fromPeers(8, { announce: [PREFIX], path: [1, 20_485, 131_279] }))).toEqual([]);
  });

  it("tells an origin that is somebody else's", () => {
    const { take } = follow();
    take(fromPeers(8, { announce: [PREFIX] }));
    const hijacked = take(fromPeers(3, { announce: [PREFIX], path: [50_628, 4837, 64_500] }));
    expect(hijacked.at(-1)).toMatchObject({ event: "announce", originAs: 64_500 });
  });

  it("counts every peer's news for the measurement, whatever is believed", () => {
    const { take, prefixes } = follow();
    take(fromPeers(4, { announce: [PREFIX] }));
    // As when two subscriptions ask for the same message.
    take(fromPeers(4, { announce: [PREFIX] }));
    take(fromPeers(1, { withdraw: [PREFIX] }));
    expect(prefixes.takeDeltas()).toMatchObject([
      {
        measurement: "route",
        tags: ["star-kp", PREFIX],
        bucketMs: START_SECONDS * 1000 - ((START_SECONDS * 1000) % 60_000),
        values: [4, 1, 3],
      },
    ]);
  });

  it("is followed too where a watched network announces what is not known to be its own", () => {
    const { take, prefixes } = follow();
    const elsewhere = { announce: ["203.0.113.0/24"], path: [50_628, 4837, 131_279] };
    expect(take(fromPeers(3, elsewhere))).toMatchObject([{ prefix: "203.0.113.0/24", originAs: 131_279 }]);
    take(fromPeers(3, { withdraw: ["203.0.113.0/24"] }));
    expect(prefixes.states()).toMatchObject([{ network: "star-kp", peers: 3, visiblePeers: 0 }]);
  });

  it("is not followed where it is nobody's we watch, and of more specific ones only so many", () => {
    const { take, prefixes } = follow();
    take([risUpdate({ announce: ["8.8.8.0/24", "175.45.0.0/16", "2001:db8::/32"], path: [1, 64_500] })]);
    expect(prefixes.states()).toEqual([]);
    const specifics = Array.from(
      { length: 1024 },
      (_, index) => `175.45.${176 + (index >> 8)}.${index & 255}/32`,
    );
    take([risUpdate({ announce: specifics })]);
    expect(prefixes.states().length).toBe(256);
    expect(prefixes.ignored).toBe(768);
  });
});

describe("the watched networks", () => {
  it("have the addresses within their prefixes and those of their autonomous system", () => {
    const find = networkFinder(networks);
    const of = (ip: string, asn = 0) => find(originOf(ip, { asn }));
    expect(["175.45.176.0", "175.45.179.255", "175.45.180.0", "2001:db8::1"].map((ip) => of(ip))).toEqual([
      "star-kp",
      "star-kp",
      undefined,
      undefined,
    ]);
    expect([of("192.0.2.1", 131_279), of("192.0.2.1", 4837)]).toEqual(["star-kp", undefined]);
  });

  it("match their prefixes and more specific ones, and nothing else", () => {
    const match = createMatcher(networks);
    for (const prefix of ["175.45.176.0/22", PREFIX, "175.45.179.128/25"])
      expect(match(prefix)?.name).toBe("star-kp");
    for (const prefix of [
      "175.45.0.0/16",
      "175.45.180.0/24",
      "::/0",
      "175.45.176.0",
      "x/24",
      "175.45.176.0/33",
      "",
    ]) {
      expect(match(prefix), prefix).toBeUndefined();
    }
  });
});
