import { COUNT, define, type Feature, FRACTION } from "#core/define-feature.ts";

/** When somebody acts, and how the account is paid. */
export const PEOPLE_FEATURES: readonly Feature[] = [
  define(
    "operator.actions",
    "log10",
    COUNT,
    false,
    "Hours of the quarter in which somebody acted: a worker or a program with a new name, 1 + n.",
  ),
  define(
    "operator.pyongyangHours",
    "fraction",
    FRACTION,
    true,
    "Actions of the quarter within 09:00-18:00 at UTC+9.",
  ),
  define(
    "operator.localHours",
    "fraction",
    FRACTION,
    false,
    "Actions of the quarter within 09:00-18:00 at the longitude of the main country.",
  ),
  define(
    "operator.hoursEvidence",
    "nats",
    [-30, 30],
    true,
    "Log-likelihood ratio of the quarter's actions: Pyongyang's office hours against an owner's day.",
  ),
  define(
    "operator.concentration",
    "ratio",
    [0, 1],
    false,
    "How concentrated the hours of the actions are: resultant length on the clock.",
  ),
  define("operator.phaseCos", "ratio", [-1, 1], false, "Cosine of the actions' mean hour in UTC."),
  define("operator.phaseSin", "ratio", [-1, 1], false, "Sine of the actions' mean hour in UTC."),
  define("operator.age", "log10", [0, 4], false, "Hours since the account was first seen, + 1."),
  define("payout.payments", "log10", [0, 4], false, "Payouts of the month, 1 + n."),
  define(
    "payout.size",
    "log10",
    [0, 8],
    false,
    "Mean payout of the month, US dollars (mean of the logarithms).",
  ),
  define(
    "payout.spread",
    "log10",
    [0, 3],
    false,
    "Deviation of the month's payouts: of log10 of their worth in US dollars.",
  ),
  define(
    "payout.nearThreshold",
    "fraction",
    FRACTION,
    true,
    "Payouts of the month at 80 to 99 % of a reporting threshold.",
  ),
  define("payout.addressChanges", "log10", [0, 3], true, "Payout addresses changed within the week, 1 + n."),
];
