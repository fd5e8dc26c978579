import { checkWebsocket } from "../../collectors/ingest/websocket.ts";
import { checkCkpool } from "../../collectors/pools/ckpool-check.ts";
import { checkMiningcore } from "../../collectors/pools/miningcore.ts";
import { checkMiningcoreRelay } from "../../collectors/pools/miningcore-relay.ts";
import { checkPublicPool } from "../../collectors/pools/public-pool.ts";
import { checkPublicPoolRest } from "../../collectors/pools/public-pool-rest.ts";
import { checkRedisShares } from "../../collectors/pools/redis-shares.ts";
import { checkSri } from "../../collectors/pools/sri.ts";
import { checkXmrigProxy } from "../../collectors/pools/xmrig-proxy.ts";
import type { Config } from "../config.ts";

/** Looks at one live source. Resolves to what was found, rejects with what is wrong. */
export interface SourceCheck {
  place: string;
  look: (signal: AbortSignal) => Promise<string>;
}

/** A look at every pool program and feed of a configuration that is asked, and does not itself come to Assay. */
export function sourceChecks({ collectors }: Config): SourceCheck[] {
  const checks = <T extends { name: string }>(
    kind: string,
    sections: readonly T[],
    look: (section: T, signal: AbortSignal) => Promise<string>,
  ): SourceCheck[] =>
    sections.map((section) => ({
      place: `collectors.${kind} ${section.name}`,
      look: (signal) => look(section, signal),
    }));
  return [
    ...checks("ckpool", collectors.ckpool, checkCkpool),
    ...checks("miningcore", collectors.miningcore, checkMiningcore),
    ...checks("miningcoreRelay", collectors.miningcoreRelay, checkMiningcoreRelay),
    ...checks("redisShares", collectors.redisShares, checkRedisShares),
    ...checks("xmrigProxy", collectors.xmrigProxy, checkXmrigProxy),
    ...checks("publicPool", collectors.publicPool, checkPublicPool),
    ...checks("publicPoolRest", collectors.publicPoolRest, checkPublicPoolRest),
    ...checks("sri", collectors.sri, checkSri),
    ...checks("websocket", collectors.websocket, checkWebsocket),
  ];
}
