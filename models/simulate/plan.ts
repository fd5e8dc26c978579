import type { MachineModel } from "./machines.ts";
import type { Access } from "./networks.ts";

/** What an operation is in truth. */
export const TYPOLOGIES = [
  "sanctioned-origin",
  "sanctioned-wallet",
  "overseas-base",
  "relay",
  "many-behind-one",
  "remittance-split",
  "hashrate-laundering",
  "cryptojacking",
  "onset-from-silence",
  "structuring",
  "outage-synchrony",
  "seasonal-curtailment",
] as const;
export type Typology = (typeof TYPOLOGIES)[number];

/** How well a campaign hides. `careful` must be hard to tell from an honest owner. */
export const CARES = ["blatant", "middle", "careful"] as const;
export type Care = (typeof CARES)[number];

/** The honest owners. The second row is the hard set: each shares the outward signs of some typology. */
export const BENIGN_KINDS = [
  "hobbyist",
  "cpu-hobbyist",
  "small-farm",
  "large-farm",
  "demand-response-farm",
  "vpn-hobbyist",
  "hosting-client",
  "hosting-farm",
  "rental-customer",
  "border-miner",
  "migrating-farm",
  "failover-fleet",
  "watch-country-farm",
  "multi-site-firm",
  "proxy-lab",
  "profit-share",
  "satellite-miner",
  "threshold-payer",
  "hidden-resident",
  "developer-fee",
  "volunteer-wallet",
  "cloud-miner",
] as const;
export type BenignKind = (typeof BENIGN_KINDS)[number];

/** One pool of the scenario. What a pool does not log is absent from its observations. */
export interface PoolPlan {
  name: string;
  algorithm: MachineModel["algorithm"];
  coin: string;
  /** Country its servers stand in: round trips start there. */
  country: string;
  /** Shares aimed at by vardiff: one every so many ms on a connection. */
  vardiffMs: number;
  /** Shares an hour a site sends at most: larger fleets get a higher difficulty. */
  siteSharesPerHour: number;
  /** Instants at which its servers start anew, ms, in order: all connections end. */
  restartsMs: readonly number[];
  /** Whether accounts are payout addresses or user names. */
  accounts: "address" | "user";
  logs: {
    ip: boolean;
    agent: boolean;
    worker: boolean;
    sessions: boolean;
    /** Every step of a session, or only its authorization and its end. */
    steps: boolean;
    rtt: boolean;
    payouts: boolean;
  };
}

/** An account an operation mines to, and how it is paid. */
export interface AccountPlan {
  pool: PoolPlan;
  name: string;
  payoutAddress: string;
  /** When the payout address is replaced, ms; empty for most. */
  addressChanges: { atMs: number; address: string }[];
  /** `daily`: at the pool's hour. `threshold`: when so many coins are due. `currency`: drawn by hand near a sum of money. */
  payout:
    | { rule: "daily" }
    | { rule: "threshold"; coins: number }
    | { rule: "currency"; low: number; high: number };
}

/** When a site runs: parts that multiply. Each gives a fraction of the machines, or of a machine's speed. */
export interface LoadPlan {
  /** Exact spans without power or line, ms, in order. */
  off: { fromMs: number; toMs: number; jitterMs: number }[];
  /** Local hours in which it runs at full, else at `rest`. */
  hours?: { from: number; to: number; offset: number; rest: number };
  /** Runs at `rest` while the region's power price is in its dearest part (0..1 of the time). */
  dear?: { part: number; rest: number; region: string };
  /** Slow drift of the fleet's size over the whole time: last over first. */
  growth?: number;
  /** Hour-to-hour wander of the rate: deviation of its logarithm. */
  wander: number;
  /** True where load slows every machine instead of switching some off. */
  slows?: boolean;
}

/** One machine. */
export interface Rig {
  model: MachineModel;
  hashrateHs: number;
  worker: string;
  fromMs: number;
  toMs: number;
  /** What it presents where that is not the site's agent. */
  agent?: string;
  /** Index into the operation's accounts; -1 where the site splits by time. */
  account: number;
}

/** Where a site is seen, in turn when there are several (moves, rotation). */
export interface PlacePlan {
  country: string;
  access: Access;
  /** Fixed address space of the owner's; absent: drawn from the country's. */
  prefix?: string;
}

/** A group of machines in one building. */
export interface SitePlan {
  /** Where the addresses are that the pool sees. */
  places: PlacePlan[];
  /** Mean hours until the site moves to another of its places; Infinity: never, but for `moves`. */
  rotateHours: number;
  /** Planned moves: at so many ms on to place n. */
  moves: { atMs: number; place: number }[];
  /** Where the machines are. */
  trueCountry: string;
  /** Round trip from the visible address to the machines, ms; 0 where nothing stands between. */
  hiddenLegMs: number;
  /** Part of connections that are relayed (a few leak). */
  hiddenPart: number;
  /** Last mile, ms. */
  accessMs: number;
  /** Time a device takes to answer, ms (median). */
  deviceMs: number;
  /** Addresses at a time; machines are spread over them. */
  addresses: number;
  /** True where every machine has its own provider: addresses from anywhere in the places. */
  scattered: boolean;
  /** Mean hours an address is kept; Infinity for a fixed line. */
  renewHours: number;
  /** Mean hours a connection lives. */
  sessionHours: number;
  /** Minute of the UTC day at which the whole site is rebooted; absent for most. */
  rebootMinute?: number;
  agent: string;
  /** Machines share one connection per address; worker names are passed on or not. */
  proxy: false | { passesNames: boolean; sessionWorker: string };
  /**
   * Splits by time: parts of a period mined to each account. `apart`: every connection turns at a time of its own, and what
   * is left of the period it mines elsewhere.
   */
  split?: { periodMs: number; parts: number[]; apart?: boolean };
  load: LoadPlan;
  rigs: Rig[];
}

/** When the people behind an operation act. */
export interface OperatorPlan {
  /** Clock they live by, hours ahead of UTC. */
  utcOffset: number;
  /** Working day on that clock. */
  from: number;
  to: number;
  /** Part of actions within it; the rest at any hour. */
  discipline: number;
  actionsPerWeek: number;
}

/** One owner or one campaign. */
export interface Operation {
  kind: BenignKind | Typology;
  campaign: string | null;
  care: Care | null;
  accounts: AccountPlan[];
  sites: SitePlan[];
  operator: OperatorPlan;
  fromMs: number;
  toMs: number;
}

/** What is true of one account: the labels detection is judged by. One line of truth.ndjson. */
export interface TruthRecord {
  pool: string;
  account: string;
  label: "benign" | "campaign";
  /** Kind of honest owner, or the typology. */
  kind: BenignKind | Typology;
  typology: Typology | null;
  care: Care | null;
  campaign: string | null;
  /** Machines of the whole operation. */
  machines: number;
  /** Longest round trip that stands behind a visible address of the operation, ms; 0 where none does. */
  hiddenLegMs: number;
  /** First and last instant the account may mine, RFC 3339. */
  from: string;
  to: string;
}
