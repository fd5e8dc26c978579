import { define, type Feature } from "#core/define-feature.ts";

/** What the account has in common with others, and with a watched network's routes. */
export const LINKS_FEATURES: readonly Feature[] = [
  define(
    "linkage.network",
    "log10",
    [0, 4],
    true,
    "Other accounts on the same rare source network (/24 or /48), 1 + n.",
  ),
  define("linkage.payout", "log10", [0, 4], true, "Other accounts paid to the same address, 1 + n."),
  define(
    "linkage.template",
    "log10",
    [0, 4],
    true,
    "Other accounts with the same rare pair of agent and worker-name template, 1 + n.",
  ),
  define(
    "linkage.split",
    "fraction",
    [0, 1],
    true,
    "Closeness of a linked pair's work to a stable 80:20 to 90:10 split, times 2/(1 + n) where n linked accounts were compared; 1 is inside and steady, with the only one.",
  ),
  define(
    "linkage.together",
    "ratio",
    [0, 20],
    true,
    "Standard errors by which its hours move with, or against, a linked account's.",
  ),
  define(
    "linkage.succession",
    "nats",
    [0, 10],
    true,
    "Log-likelihood ratio of the account that ended as it began, or began as it ended, at the same rate: one operation against chance.",
  ),
  define(
    "linkage.coincidence",
    "log10",
    [0, 3],
    true,
    "Change points of the week within 10 minutes of a linked account's, 1 + n.",
  ),
  define("linkage.cluster", "log10", [0, 2], false, "Other accounts of its cluster, 1 + n."),
  define(
    "linkage.clusterPlaces",
    "count",
    [0, 8],
    true,
    "Places of the watch tier that the accounts of the cluster mine from.",
  ),
  define(
    "linkage.clusterHours",
    "nats",
    [-30, 30],
    true,
    "Evidence of Pyongyang's hours, of actions and restarts, summed over the cluster.",
  ),
  define(
    "linkage.clusterNearThreshold",
    "log10",
    [0, 3],
    true,
    "Payouts of the month near a reporting threshold, over the cluster, 1 + n.",
  ),
  define(
    "route.coincidence",
    "log10",
    [0, 12],
    true,
    "-log10 p that so many change points fell within 15 minutes of a watched network's route events by chance.",
  ),
];
