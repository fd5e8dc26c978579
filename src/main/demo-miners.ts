import { supervise, type Task } from "#core/task.ts";
import { runMiner } from "../../models/simulate/live/miner.ts";
import { sleep } from "./sleep.ts";

/** One live account of the demo: where it claims to be, how far it is, and how many machines it runs. */
interface LiveAccount {
  account: string;
  agent: string;
  addresses: readonly string[];
  machines: number;
  /** Of one machine. */
  hashrateHs: number;
  roundTripMs: number;
}

/**
 * Ordinary miners beside a blatant campaign (straight from a sanctioned network) and a careful one (a VPN exit near
 * the pool, with a long way behind it).
 */
const ACCOUNTS: readonly LiveAccount[] = [
  {
    account: "live-hobbyist",
    agent: "bmminer/2.0.0",
    addresses: ["84.130.20.7"],
    machines: 1,
    hashrateHs: 95e12,
    roundTripMs: 18,
  },
  {
    account: "live-farm",
    agent: "cgminer/4.11.1",
    addresses: ["24.48.10.2"],
    machines: 8,
    hashrateHs: 110e12,
    roundTripMs: 95,
  },
  {
    account: "live-garage",
    agent: "bosminer/22.08",
    addresses: ["81.2.69.160"],
    machines: 2,
    hashrateHs: 90e12,
    roundTripMs: 24,
  },
  {
    account: "live-blatant",
    agent: "cgminer/4.9.0",
    addresses: ["175.45.178.14"],
    machines: 3,
    hashrateHs: 70e12,
    roundTripMs: 260,
  },
  {
    account: "live-careful",
    agent: "cgminer/4.9.0",
    addresses: ["185.159.157.8", "185.159.157.23"],
    machines: 6,
    hashrateHs: 70e12,
    roundTripMs: 210,
  },
];

/** Tasks of all live miners; each reconnects when its connection ends. */
export function liveMiners(port: number): Task[] {
  return ACCOUNTS.flatMap(({ account, agent, addresses, machines, hashrateHs, roundTripMs }) =>
    Array.from({ length: machines }, (_, index) => {
      const address = addresses[index % addresses.length] as string;
      const miner = runMiner({
        host: "127.0.0.1",
        port,
        source: { address, port: 40_000 + index },
        agent,
        worker: `${account}.rig${index + 1}`,
        hashrateHs: () => hashrateHs,
        roundTripMs,
      });
      return supervise(miner, { name: `${account}.rig${index + 1}`, sleep, onRestart: () => undefined });
    }),
  );
}
