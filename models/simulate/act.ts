import type { Connection } from "./connection.ts";
import { PROXY_AGENTS, RENTAL_AGENTS } from "./machines.ts";
import type { Rig } from "./plan.ts";
import type { Action } from "./population.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";

/** A site and its connections while it runs. */
export interface RunningSite {
  site: Site;
  connections: Connection[];
}

/** Does at a site what a person does there. */
export function act(action: Action, { site, connections }: RunningSite, random: Random): void {
  const rig = site.plan.rigs[action.rig] as Rig;
  if (action.kind === "restart") {
    for (const connection of connections)
      if (action.whole || connection.serves(rig)) connection.restart(action.atMs);
  } else if (action.kind === "rename") {
    const number = String(random.integer(1, 999));
    rig.worker = /\d/.test(rig.worker) ? rig.worker.replace(/\d+/, number) : `${rig.worker}${number}`;
    for (const connection of connections) connection.renamed(rig, action.atMs);
  } else if (!site.plan.proxy) {
    const agent = random.pick(rig.model.agents);
    for (const connection of connections)
      if (connection.model === rig.model) connection.setAgent(agent, action.atMs);
  } else if (!RENTAL_AGENTS.includes(site.plan.agent)) {
    // A market's program is not its customer's to change.
    // Who shows a plain miner's program goes on doing so.
    const proxies = PROXY_AGENTS[rig.model.algorithm];
    const agent = random.pick(proxies.includes(site.plan.agent) ? proxies : rig.model.agents);
    for (const connection of connections) connection.setAgent(agent, action.atMs);
  }
}
