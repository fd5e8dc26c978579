import type { Family } from "#core/flag.ts";

/** A feature in which a pattern shows, and the side on which it does. */
export interface Sign {
  feature: string;
  side: "high" | "low";
}

/** A pattern that a model has not learned: known by its name and by what it shows. */
export interface Description {
  name: string;
  /** One sentence that follows "consistent with". */
  about: string;
  /** None for screening, which measures nothing. */
  signs: readonly Sign[];
  /** What is known of it, and from whom. */
  source?: string | undefined;
}

/** A pattern of behaviour that is looked for. What rests on secondary reporting says so. */
export interface Typology extends Description {
  kind: "anomaly" | "screening";
  /** Families its evidence can come from. */
  families: readonly Family[];
  source: string;
  /** Since when, or about when, the pattern is known; ISO date. */
  validFrom: string;
}

const signs = (side: Sign["side"], ...features: string[]): Sign[] =>
  features.map((feature) => ({ feature, side }));
/** Signs of which there is more than usual. */
const high = (...features: string[]) => signs("high", ...features);
/** Signs of which there is less than usual. */
const low = (...features: string[]) => signs("low", ...features);
/** Whose office hours the people behind an account keep. */
const HOURS = high("operator.hoursEvidence", "operator.pyongyangHours", "operator.restartEvidence");

const SEED = "P. Moriuchi (Recorded Future), interview 2018";

/** What stands for typologies that nobody has described: whose hours people keep is told of any of them. */
const HOURS_ALONE = "operator-hours";

/** All typologies, versioned with the program. The anomaly ones but for the hours are the model's typology head, in this order. */
export const TYPOLOGIES: readonly Typology[] = [
  {
    name: "sanctioned-origin",
    kind: "screening",
    families: ["origin"],
    about: "mining from a place under comprehensive sanctions",
    signs: [],
    source: "OFAC enforcement releases: BitGo 2020, BitPay 2021, Kraken 2022",
    validFrom: "2020-12-30",
  },
  {
    name: "sanctioned-wallet",
    kind: "screening",
    families: ["payout"],
    about: "being paid to an address that a sanctions list names",
    signs: [],
    source: "OFAC FAQ 562 and 594",
    validFrom: "2018-03-19",
  },
  {
    name: "sanctioned-entity",
    kind: "screening",
    families: ["operator"],
    about: "being run by a listed operator or hosted by one",
    signs: [],
    source: "OFAC designation of BitRiver AG and ten subsidiaries",
    validFrom: "2022-04-20",
  },
  {
    name: "overseas-base",
    kind: "anomaly",
    families: ["origin", "operator", "fleet", "linkage"],
    about: "a small operation run from several bases abroad by operators who keep Pyongyang's hours",
    signs: [
      ...high("origin.watchCountries", "origin.watch", "origin.countries"),
      ...high("linkage.clusterPlaces", "linkage.clusterHours"),
      ...HOURS,
    ],
    source: `${SEED}; Recorded Future 2017 and 2020 (partly secondary)`,
    validFrom: "2017-07-25",
  },
  {
    name: "relay",
    kind: "anomaly",
    families: ["latency", "origin", "operator"],
    about: "mining through a relay, proxy or VPN that hides a longer way",
    signs: [
      ...high("latency.hiddenLeg", "latency.hiddenShare", "latency.longLegs", "origin.hidden"),
      ...HOURS,
    ],
    source:
      "OFAC Sanctions Compliance Guidance for the Virtual Currency Industry 2021; CalcuLatency, USENIX Security 2024",
    validFrom: "2021-10-15",
  },
  {
    name: "many-behind-one",
    kind: "anomaly",
    families: ["fleet", "origin", "latency"],
    about: "many machines behind one address",
    signs: [
      ...high("fleet.workersPerAddress", "fleet.proxyAgent"),
      ...low("fleet.sessions", "fleet.machineRate"),
      ...HOURS,
    ],
    source: "Recorded Future 2020 (secondary)",
    validFrom: "2020-02-09",
  },
  {
    name: "remittance-split",
    kind: "anomaly",
    families: ["linkage", "hashrate", "payout"],
    about: "the same machines working for two accounts in a steady ratio between 80:20 and 90:10",
    signs: [
      ...high("linkage.split", "linkage.together", "linkage.network", "linkage.template"),
      ...high("linkage.clusterHours"),
      ...HOURS,
    ],
    source: SEED,
    validFrom: "2018-01-01",
  },
  {
    name: "hashrate-laundering",
    kind: "anomaly",
    families: ["fleet", "hashrate", "payout", "operator"],
    about: "rented hashrate in short bursts, paid to fresh addresses",
    signs: [
      ...high("fleet.rentalAgent", "payout.addressChanges", "linkage.succession", "origin.hosting"),
      ...low("operator.age"),
    ],
    source: "Mandiant, APT43 2023 (secondary)",
    validFrom: "2023-03-28",
  },
  {
    name: "cryptojacking",
    kind: "anomaly",
    families: ["fleet", "origin", "hashrate"],
    about: "one wallet fed by many slow machines on many networks, arriving in waves",
    signs: [
      ...high("fleet.addresses", "origin.countries", "origin.entropy", "origin.newSources"),
      ...low("fleet.machineRate"),
      ...HOURS,
    ],
    source: "FSI (Republic of Korea) on Andariel 2018 (secondary)",
    validFrom: "2018-01-02",
  },
  {
    name: "onset-from-silence",
    kind: "anomaly",
    families: ["hashrate", "origin", "operator"],
    about: "activity that starts from silence in a step",
    signs: [
      ...high("hashrate.onset", "hashrate.returnRatio", "origin.watch"),
      ...low("hashrate.returns"),
      ...HOURS,
    ],
    source: "Recorded Future 2017",
    validFrom: "2017-05-17",
  },
  {
    name: "structuring",
    kind: "anomaly",
    families: ["payout", "linkage", "operator"],
    about: "payouts kept just below a reporting threshold",
    signs: [
      ...high("payout.nearThreshold", "linkage.clusterNearThreshold", "linkage.clusterHours"),
      ...HOURS,
    ],
    source: `${SEED}; FATF Virtual Assets Red Flag Indicators 2020; thresholds of FATF Recommendation 16, 31 CFR 1010.311 and 1010.410`,
    validFrom: "2020-09-14",
  },
  {
    name: "outage-synchrony",
    kind: "anomaly",
    families: ["route", "hashrate"],
    about: "falling and returning with the reachability of a watched network it does not claim to be in",
    signs: [
      ...high("route.coincidence", "hashrate.changesDown"),
      ...high("latency.hiddenLeg", "latency.hiddenShare", "origin.hidden"),
      ...HOURS,
    ],
    source: "public BGP data on AS131279, AS4837 and AS20485",
    validFrom: "2017-10-01",
  },
  {
    name: "seasonal-curtailment",
    kind: "anomaly",
    families: ["hashrate", "origin"],
    about: "a rhythm that follows a sanctioned region's known grid cuts",
    signs: [
      ...high("hashrate.profile", "hashrate.changesDown"),
      ...high("latency.hiddenLeg", "latency.hiddenShare", "origin.hidden"),
    ],
    source: "Elliptic 2021",
    validFrom: "2021-05-21",
  },
  {
    name: HOURS_ALONE,
    kind: "anomaly",
    families: ["operator"],
    about: "being run in Pyongyang's office hours, in a way that no other typology names",
    signs: [...HOURS],
    source: SEED,
    validFrom: "2018-05-05",
  },
];

/** Names of the typologies that a model learns, in the order of its head. */
export const LEARNED_TYPOLOGIES: readonly string[] = TYPOLOGIES.filter(
  ({ kind, name }) => kind === "anomaly" && name !== HOURS_ALONE,
).map(({ name }) => name);

/** Names of the typologies a model scores: those of its head, and last the hours alone. */
export const SCORED_TYPOLOGIES: readonly string[] = [...LEARNED_TYPOLOGIES, HOURS_ALONE];
