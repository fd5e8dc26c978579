import { COUNT, define, type Feature, FRACTION } from "#core/define-feature.ts";

/** Where the work comes from, and how far behind the visible address. */
export const ORIGIN_FEATURES: readonly Feature[] = [
  define(
    "origin.comprehensive",
    "fraction",
    FRACTION,
    true,
    "Day's work from places under comprehensive sanctions.",
  ),
  define(
    "origin.watch",
    "fraction",
    FRACTION,
    true,
    "Week's work from places where overseas bases are reported.",
  ),
  define(
    "origin.watchCountries",
    "count",
    [0, 8],
    true,
    "Such places with at least 2 % of the work of the recent sources.",
  ),
  define("origin.hosting", "fraction", FRACTION, false, "Day's work from hosting networks."),
  define("origin.hidden", "fraction", FRACTION, true, "Day's work from VPN, Tor and relay networks."),
  define("origin.satellite", "fraction", FRACTION, true, "Day's work from satellite networks."),
  define("origin.unknown", "fraction", FRACTION, false, "Day's work whose country is unknown."),
  define("origin.countries", "count", [0, 8], false, "Countries among the recent sources."),
  define(
    "origin.entropy",
    "ratio",
    [0, 3],
    false,
    "Entropy of the recent sources' countries, weighted by work, in bits.",
  ),
  define("origin.newSources", "log10", COUNT, true, "Addresses first seen within the day, 1 + n."),
  define("latency.tcp", "log10", [0, 4], false, "Least TCP round trip of two days, ms + 1."),
  define("latency.app", "log10", [0, 4], false, "Least application round trip of two days, ms + 1."),
  define(
    "latency.hiddenLeg",
    "log10",
    [0, 4],
    true,
    "Application less TCP round trip, ms + 1: a leg behind the visible address.",
  ),
  define(
    "latency.hiddenShare",
    "fraction",
    FRACTION,
    true,
    "The hidden leg as a part of the application round trip.",
  ),
  define("latency.leg", "log10", [0, 4], true, "Mean leg behind the address of the day's sessions, ms + 1."),
  define(
    "latency.longLegs",
    "fraction",
    FRACTION,
    true,
    "Day's sessions with a leg of at least 20 ms and half of the way.",
  ),
];
