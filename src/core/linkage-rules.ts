import { clusterMembers, countOf, HOURS_NATS, likelier, partners, type Rule, watched } from "#core/rule.ts";

/** From so many nats on a succession is told. */
const SUCCESSION_NATS = 2;

/** How many other accounts do something, by the logarithm of their count. */
const others = (log: number, one: string, many: string): string =>
  countOf(log) === 1 ? `1 other account ${one}` : `${countOf(log)} other accounts ${many}`;

/** Rules about what accounts share: linkage and what it links count as one family. */
export const LINKAGE_RULES: readonly Rule[] = [
  {
    code: "LINKAGE_SPLIT",
    family: "linkage",
    links: "hashrate",
    features: ["linkage.split"],
    speaks: ({ feature }) => feature("linkage.split") >= 0.4,
    text: () =>
      "Together with a linked account it does the same work in a steady ratio between 80:20 and 90:10.",
    evidence: partners,
  },
  {
    code: "LINKAGE_PAYOUT",
    family: "linkage",
    links: "payout",
    features: ["linkage.payout"],
    speaks: ({ feature }) => countOf(feature("linkage.payout")) >= 1,
    text: ({ feature }) => `${others(feature("linkage.payout"), "is", "are")} paid to the same address.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_NETWORK",
    family: "linkage",
    links: "origin",
    features: ["linkage.network"],
    speaks: ({ feature }) => countOf(feature("linkage.network")) >= 1,
    text: ({ feature }) =>
      `${others(feature("linkage.network"), "mines", "mine")} from the same rare network.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_TEMPLATE",
    family: "linkage",
    links: "fleet",
    features: ["linkage.template"],
    speaks: ({ feature }) => countOf(feature("linkage.template")) >= 1,
    text: ({ feature }) =>
      `${others(feature("linkage.template"), "uses", "use")} the same rare pair of agent and worker-name template.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_CLUSTER",
    family: "linkage",
    links: "fleet",
    features: ["linkage.cluster", "linkage.clusterPlaces", "linkage.clusterNearThreshold"],
    speaks: ({ feature }) => countOf(feature("linkage.cluster")) >= 1,
    text: ({ feature, links }) =>
      `These ${countOf(feature("linkage.cluster")) + 1} accounts act as one, by payout address, network, names or succession${watched(links.cluster?.watchPlaces ?? 0)}.`,
    evidence: clusterMembers,
  },
  {
    code: "LINKAGE_CLUSTER_HOURS",
    family: "linkage",
    links: "operator",
    features: ["linkage.clusterHours"],
    speaks: ({ feature }) => feature("linkage.clusterHours") >= HOURS_NATS,
    text: ({ feature }) =>
      `The actions and restarts of the accounts that act as one keep office hours at UTC+9: about ${likelier(feature("linkage.clusterHours"))} times as likely as for owners by their own clocks.`,
    evidence: clusterMembers,
  },
  {
    code: "LINKAGE_SUCCESSION",
    family: "linkage",
    links: "fleet",
    features: ["linkage.succession"],
    speaks: ({ feature }) => feature("linkage.succession") >= SUCCESSION_NATS,
    text: ({ feature, links }) =>
      `The account ${links.succession?.later.account} began as ${links.succession?.former.account} ended, with the same worker names and at the same rate: about ${likelier(feature("linkage.succession"))} times as likely for one operation as for two that met by chance.`,
    evidence: ({ links }) =>
      [links.succession?.former, links.succession?.later].flatMap((state) =>
        state ? [{ type: "account", pool: state.pool, account: state.account }] : [],
      ),
  },
  {
    code: "LINKAGE_TOGETHER",
    family: "linkage",
    links: "hashrate",
    features: ["linkage.together"],
    speaks: ({ feature }) => feature("linkage.together") >= 6,
    text: ({ feature }) =>
      `Its hours and a linked account's move together, or one against the other, by ${feature("linkage.together").toFixed(1)} standard errors.`,
    evidence: partners,
  },
  {
    code: "LINKAGE_COINCIDENCE",
    family: "linkage",
    links: "hashrate",
    features: ["linkage.coincidence"],
    speaks: ({ feature }) => countOf(feature("linkage.coincidence")) >= 3,
    text: ({ feature }) =>
      `${countOf(feature("linkage.coincidence"))} change points fell within ten minutes of a linked account's.`,
    evidence: partners,
  },
];
