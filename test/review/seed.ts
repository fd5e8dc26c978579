import { FEATURES } from "#core/features.ts";
import type { Flag, Reason } from "#core/flag.ts";
import { HOUR_MS, MEASUREMENTS, type MetricQuery, type MetricRow } from "#core/metrics.ts";
import type { FlagEvidence, OpsStore } from "#core/store.ts";
import type { DataNotice, Health, WatchLists } from "../../src/review/answers.ts";

/** Deterministic numbers in 0..1 (mulberry32), so that screenshots and assertions repeat. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const iso = (ms: number) => new Date(ms).toISOString();
const HOURS = 168;

function reasonsOf(kind: string, nowMs: number): Reason[] {
  const all: Record<string, Reason[]> = {
    "sanctioned-origin": [
      {
        code: "origin.comprehensive",
        family: "origin",
        text: "11.4 % of 7 days' work came from 175.45.176.0/22 (AS131279, Star JV), a network under comprehensive sanctions.",
        weight: 1,
        evidence: [
          {
            type: "network",
            prefix: "175.45.176.0/22",
            asn: 131279,
            holder: "Star Joint Venture",
            shares: 1834,
            share: 0.114,
            firstMs: nowMs - 31 * HOUR_MS,
            lastMs: nowMs - 2 * HOUR_MS,
          },
        ],
      },
    ],
    relay: [
      {
        code: "latency.hidden-leg",
        family: "latency",
        text: "Application round trips exceed transport round trips by 148 ms at the median over 412 sessions: a hidden leg of up to 14,800 km.",
        weight: 0.41,
        evidence: [
          { type: "round-trip", ip: "146.70.88.21", transportMs: 21.4, applicationMs: 171.2, sessions: 288 },
          {
            type: "round-trip",
            ip: "185.220.101.34",
            transportMs: 34.9,
            applicationMs: 180.6,
            sessions: 124,
          },
        ],
      },
      {
        code: "origin.hosting",
        family: "origin",
        text: "83 % of work comes from VPN and hosting networks in 3 countries; the account's peers show 6 %.",
        weight: 0.27,
        evidence: [{ type: "share-by-kind", vpn: 0.61, hosting: 0.22, residential: 0.17 }],
      },
      {
        code: "operator.hours",
        family: "operator",
        text: "74 of 81 operator actions fall in 09:00 to 18:00 of UTC+9 (p = 3.1e-9), whatever the address says.",
        weight: 0.19,
        evidence: [{ type: "working-hours", offset: "UTC+9", inside: 74, actions: 81, pValue: 3.1e-9 }],
      },
      {
        code: "hashrate.change",
        family: "hashrate",
        text: "Hashrate rose 2.4-fold (log-likelihood ratio 61) within an hour of the address changing.",
        weight: 0.13,
        evidence: [
          { type: "change-point", atMs: nowMs - 61 * HOUR_MS, ratio: 2.4, logLikelihoodRatio: 61.2 },
        ],
      },
    ],
    "remittance-split": [
      {
        code: "linkage.split",
        family: "linkage",
        text: "The same 38 rigs mine to two accounts in a ratio of 84:16 that held within 1.2 % for 7 days.",
        weight: 0.52,
        evidence: [{ type: "pair", account: "bc1q…operator", ratio: 0.84, days: 7, rigs: 38 }],
      },
      {
        code: "payout.threshold",
        family: "payout",
        text: "9 of 11 payouts lie between 80 % and 99 % of USD 10,000.",
        weight: 0.3,
        evidence: [{ type: "payouts", currency: "USD", threshold: 10_000, below: 9, payouts: 11 }],
      },
    ],
    cryptojacking: [
      {
        code: "fleet.many-small",
        family: "fleet",
        text: "1,204 workers of about 480 H/s over 1,011 residential addresses with one agent and one configuration.",
        weight: 0.6,
        evidence: [{ type: "fleet", workers: 1204, addresses: 1011, agent: "XMRig/6.21.0" }],
      },
      {
        code: "operator.waves",
        family: "operator",
        text: "Workers arrive in 5 waves; the largest brought 312 within 9 minutes.",
        weight: 0.2,
        evidence: [{ type: "wave", workers: 312, minutes: 9 }],
      },
    ],
  };
  return all[kind] ?? all.relay!;
}

const KINDS = ["relay", "remittance-split", "cryptojacking", "sanctioned-origin"] as const;
const LEVELS = ["low", "medium", "high", "critical"] as const;

/** One flag of a pool that never was. */
export function seedFlag(index: number, nowMs: number, over: Partial<Flag> = {}): Flag {
  const next = random(index + 1);
  const name = KINDS[index % KINDS.length]!;
  const screening = name === "sanctioned-origin";
  const reasons = reasonsOf(name, nowMs);
  const score = screening ? 1 : 0.52 + 0.46 * next();
  const openedMs = nowMs - Math.floor(index * 0.9 * HOUR_MS + next() * HOUR_MS);
  const severity = screening ? "critical" : LEVELS[Math.min(2, Math.floor((score - 0.5) * 7))]!;
  const account =
    index % 3 === 0
      ? `bc1q${Array.from({ length: 34 }, () => "023456789acdefghjklmnpqrstuvwxyz"[Math.floor(next() * 32)]).join("")}`
      : `${["hashworks", "orefield", "northrig", "tumen-river", "quartz", "minerva"][index % 6]}${Math.floor(next() * 90 + 10)}`;
  return {
    id: `flag_${String(index).padStart(5, "0")}`,
    kind: screening ? "screening" : "anomaly",
    pool: index % 5 === 4 ? "pool-eu" : "main",
    account,
    openedAt: iso(openedMs - 20 * 60_000),
    updatedAt: iso(openedMs),
    state: "open",
    typologies: screening
      ? [{ name, probability: 1 }]
      : [
          { name, probability: score },
          ...(index % 2 ? [{ name: "overseas-base", probability: score * 0.6 }] : []),
        ],
    score,
    severity,
    families: [...new Set(reasons.map((reason) => reason.family))],
    reasons,
    model: { name: "trunk", version: "0.1.0" },
    lists: [
      { name: "ofac-sdn", version: "2026-11-20" },
      { name: "networks", version: "2026-11-01" },
    ],
    ...over,
  };
}

const SOURCES = [
  ["146.70.88.21", "RO", "", 9009, "M247 Europe SRL", "vpn", "none", "cgminer/4.12.1", 0.38],
  ["185.220.101.34", "DE", "", 60729, "Stiftung Erneuerbare Freiheit", "tor", "none", "cgminer/4.12.1", 0.2],
  [
    "103.152.220.9",
    "IN",
    "IN-MH",
    140641,
    "YOTTA Network Services",
    "hosting",
    "none",
    "cgminer/4.12.1",
    0.13,
  ],
  [
    "175.45.177.14",
    "KP",
    "",
    131279,
    "Star Joint Venture Co",
    "residential",
    "comprehensive",
    "cgminer/4.12.1",
    0.11,
  ],
  [
    "218.25.43.118",
    "CN",
    "CN-LN",
    4837,
    "China Unicom Liaoning",
    "residential",
    "watch",
    "bmminer/2.0.0",
    0.09,
  ],
  [
    "5.133.64.200",
    "UA",
    "UA-43",
    201776,
    "Miranda-Media Ltd",
    "residential",
    "comprehensive",
    "cgminer/4.12.1",
    0.04,
  ],
  ["100.64.12.9", "ZZ", "", 0, "", "private", "unknown", "", 0.03],
  ["128.106.11.40", "SG", "", 9506, "Singtel Fibre Broadband", "residential", "none", "cgminer/4.12.1", 0.02],
] as const;

/** What stands behind a seeded flag: a week of hours with one step in them. */
export function seedEvidence(index: number, nowMs: number): FlagEvidence {
  const next = random(index + 77);
  const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - HOURS * HOUR_MS;
  const sharesPerHour = Array.from({ length: HOURS }, (_, hour) => {
    const mean = hour < 30 ? 42 : hour < 107 ? 46 : hour < 111 ? 0 : 108;
    return Math.max(
      0,
      Math.round(
        mean * (1 + 0.08 * Math.sin(hour / 3.8)) + (next() + next() + next() - 1.5) * Math.sqrt(mean) * 1.6,
      ),
    );
  });
  const workPerShare = 65_536 * 2 ** 32 * 8;
  const workPerHour = sharesPerHour.map((shares) => shares * workPerShare);
  const total = sharesPerHour.reduce((sum, shares) => sum + shares, 0);
  return {
    fromMs,
    sharesPerHour,
    workPerHour,
    changes: [
      { atMs: fromMs + 107 * HOUR_MS, ratio: 0.02, logLikelihoodRatio: 118.4 },
      { atMs: fromMs + 111 * HOUR_MS, ratio: 2.4, logLikelihoodRatio: 61.2 },
    ],
    workers: [
      {
        worker: "rig7",
        became: "silent",
        atMs: fromMs + 90 * HOUR_MS,
        ratio: 0.02,
        logLikelihoodRatio: 21.4,
      },
      {
        worker: "rig2",
        became: "changed",
        atMs: fromMs + 96 * HOUR_MS,
        ratio: 0.31,
        logLikelihoodRatio: 33.7,
      },
    ],
    extremes: [
      { metric: "appRttMs", atMs: fromMs + 111 * HOUR_MS, value: 271, threshold: 66.4 },
      { metric: "staleRatio", atMs: fromMs + 112 * HOUR_MS, value: 0.14, threshold: 0.052 },
    ],
    sources: SOURCES.map(([ip, country, region, asn, holder, kind, tier, agent, part]) => ({
      ip,
      country,
      region,
      asn,
      holder,
      kind,
      tier,
      agent,
      shares: Math.round(part * total),
      work: part * total * workPerShare,
      firstMs: fromMs + Math.floor(next() * 60) * HOUR_MS,
      lastMs: nowMs - Math.floor(next() * 9) * HOUR_MS,
      facts: [
        { fact: "country", value: country, source: "geo-whois-asn-country 2026-06-17" },
        { fact: "network", value: holder, source: "assay networks 2026-11-01" },
        { fact: "tier", value: tier, source: "assay tiers 2026-11-01" },
      ],
    })),
    counterfactual: {
      threshold: 0.5,
      value: 0.4987,
      changes: [
        { feature: "latency.hiddenLeg", from: 2.25, to: 1.65 },
        { feature: "origin.countries", from: 4, to: 1.23 },
      ],
    },
    features: Object.fromEntries(
      FEATURES.map(({ name, range: [low, high] }, place) => [
        name,
        place % 11 === 7 ? null : Number((low + (high - low) * next() ** 2).toPrecision(3)),
      ]),
    ),
  };
}

/** The metrics of a small pool, computed on demand. */
export async function seedMetrics(query: MetricQuery): Promise<MetricRow[]> {
  const stepMs = query.level === "1h" ? HOUR_MS : 60_000;
  const places: [string, string, number][] = [
    ["US", "none", 0.31],
    ["KZ", "none", 0.14],
    ["CA", "none", 0.12],
    ["RU", "watch", 0.1],
    ["CN", "watch", 0.09],
    ["DE", "none", 0.06],
    ["PY", "none", 0.05],
    ["IR", "comprehensive", 0.013],
    ["KP", "comprehensive", 0.002],
    ["NO", "none", 0.045],
    ["ZZ", "unknown", 0.06],
    ["SG", "none", 0.01],
  ];
  const shape = MEASUREMENTS[query.measurement];
  const rows: MetricRow[] = [];
  const first = Math.ceil(query.fromMs / stepMs) * stepMs;
  for (let bucketMs = first; bucketMs < query.toMs; bucketMs += stepMs) {
    const wave = 1 + 0.05 * Math.sin(bucketMs / 1.4e7) + 0.03 * Math.sin(bucketMs / 4e6);
    const add = (tags: string[], part: number) => {
      const work = part * wave * 4.2e16 * (stepMs / 1000);
      const sums = shape.sums.map((name) =>
        name === "work"
          ? work
          : name === "confirmed"
            ? 1
            : name === "falsePositive"
              ? 0.1
              : name === "useful"
                ? 0.3
                : name === "opened"
                  ? 3
                  : work / 2.8e17,
      );
      rows.push({
        measurement: query.measurement,
        tags,
        level: query.level,
        bucketMs,
        values: [...sums, ...shape.lasts.map(() => Number.NaN)],
      });
    };
    if (query.measurement === "flag") {
      if (bucketMs % (24 * HOUR_MS) === 0) add([], 1);
      continue;
    }
    if (query.measurement === "shadow") {
      const tags = (query.by ?? []).map((tag) => (tag === "model" ? "consistency 2.0.0" : "main"));
      if (bucketMs % (6 * HOUR_MS) === 0)
        rows.push({
          measurement: "shadow",
          tags,
          level: query.level,
          bucketMs,
          values: [4100, 7, 1, 3, 0.914],
        });
      continue;
    }
    if (query.measurement !== "origin") {
      add(
        (query.by ?? []).map(() => "main"),
        1,
      );
      continue;
    }
    const byTier = new Map<string, { tags: string[]; part: number }>();
    for (const [country, tier, part] of places) {
      const tags = (query.by ?? []).map(
        (tag) => ({ country, tier, pool: "main", kind: "residential" })[tag] ?? "",
      );
      const key = tags.join();
      const group = byTier.get(key) ?? { tags, part: 0 };
      group.part += part;
      byTier.set(key, group);
    }
    for (const { tags, part } of byTier.values()) add(tags, part);
  }
  return rows;
}

/** Three deliveries: one done, one that waits for another try, one dead. */
export async function seedDeliveries(ops: OpsStore, nowMs: number): Promise<void> {
  const seeds = [
    ["msg_01", "soc-webhook", "delivered", 1, null],
    ["msg_02", "pagerduty", "waiting", 2, "503 from the receiver"],
    ["msg_03", "old-siem", "dead", 8, "connect ECONNREFUSED"],
  ] as const;
  for (const [id, destination, state, attempts, lastError] of seeds) {
    await ops.enqueue({
      id,
      destination,
      event: "flag.opened",
      body: "{}",
      createdMs: nowMs - attempts * 6e5,
    });
    await ops.settle(id, { state, attempts, nextMs: nowMs + 3e5, lastError });
  }
  await ops.disable({ destination: "gone-receiver", reason: "410 Gone", sinceMs: nowMs - 2 * HOUR_MS });
}

export const SEED_HEALTH: Health = {
  ready: true,
  components: [
    {
      name: "tap",
      role: "collector",
      state: "running",
      detail: "3,412 connections",
      observations: 18_332_901,
      refused: 12,
      lagMs: 4,
      restarts: 0,
    },
    {
      name: "ckpool-main",
      role: "collector",
      state: "running",
      detail: "following 871204/00000a3f.sharelog",
      observations: 9_120_442,
      refused: 0,
      lagMs: 510,
      restarts: 0,
    },
    {
      name: "ingest",
      role: "collector",
      state: "waiting",
      detail: "no request yet",
      observations: 0,
      refused: 0,
      lagMs: null,
      restarts: 0,
    },
    {
      name: "webhooks",
      role: "delivery",
      state: "failed",
      detail: "old-siem: connect ECONNREFUSED",
      restarts: 3,
    },
  ],
};

export const SEED_DATA: DataNotice[] = [
  {
    name: "Country database",
    source: "@ip-location-db/geo-whois-asn-country-mmdb",
    version: "2.3.2026061719",
    builtAt: "2026-06-17T00:00:00Z",
    warning: "159 days old: give a current one in origin.country.",
  },
  {
    name: "Networks",
    source: "assay curated table",
    version: "2026-11-01",
    builtAt: "2026-11-01T00:00:00Z",
    warning: null,
  },
  {
    name: "OFAC digital currency addresses",
    source: "treasury.gov SDN",
    version: "2026-11-20",
    builtAt: "2026-11-20T00:00:00Z",
    warning: null,
  },
];

export const SEED_LISTS: WatchLists["lists"] = [
  {
    name: "ofac-sdn",
    version: "2026-11-20 3f9a12bc4d5e",
    entries: 17_654,
    source: "treasury.gov SDN",
    publishedAt: "2026-11-20",
    checkedAt: "2026-11-20T06:00:00.000Z",
    stale: true,
    lastError: "the server answered 503",
    history: [
      {
        version: "2026-11-20 3f9a12bc4d5e",
        takenAt: "2026-11-20T06:00:00.000Z",
        entries: 17_654,
        added: 3,
        removed: 1,
      },
      {
        version: "2026-11-12 a1b2c3d4e5f6",
        takenAt: "2026-11-12T06:00:00.000Z",
        entries: 17_652,
        added: 17_652,
        removed: 0,
      },
    ],
  },
];
