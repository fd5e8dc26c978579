import type { AddressInfo } from "node:net";
import type { Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { createTap } from "../../collectors/stratum/tap.ts";
import type { Config } from "../config.ts";

/** The tap of a section of the configuration; it tells no shares where the pool's own records do. */
export function openTap({ shares, ...section }: Config["collectors"]["tap"][number], log: Log): Collector {
  const tap = createTap({
    ...section,
    log,
    onListening: ({ address, port }: AddressInfo) =>
      log("info", "tap listening", { name: section.name, address, port }),
  });
  return shares ? tap : withoutShares(tap);
}

/** A collector whose shares are left out: what another source of the same pool tells must not be counted twice. */
export function withoutShares(collector: Collector): Collector {
  return {
    name: collector.name,
    async *collect(signal, cursor) {
      for await (const batch of collector.collect(signal, cursor)) {
        const observations = batch.observations.filter(({ type }) => type !== "share");
        yield observations.length === batch.observations.length ? batch : { ...batch, observations };
      }
    },
  };
}
