/** What a miner's agent text says of who mines. */
export interface AgentClass {
  /** Gathers many machines behind one connection. */
  proxy: boolean;
  /** Belongs to a market that rents hashrate out. */
  rental: boolean;
}

/** Names taken from the programs' own subscribe messages: xmrig-proxy, slush0's stratum-proxy, btccom's agent, ViaProxy forks. */
const PROXY = /proxy|btcagent|btc-agent|gateway|farm-?agent/i;
/** NiceHash and Mining Rig Rentals name themselves in mining.subscribe. */
const RENTAL = /nicehash|miningrigrentals|\bmrr\b|rigrental/i;

const known = new Map<string, AgentClass>();
const MAX_KNOWN = 10_000;

/** Classifies an agent text; answers are remembered, at most 10,000 of them. */
export function classifyAgent(agent: string): AgentClass {
  const found = known.get(agent);
  if (found) return found;
  const made = { proxy: PROXY.test(agent), rental: RENTAL.test(agent) };
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(agent, made);
  return made;
}
