/** Numbers, times and names as the console writes them. Pure, so that tests can read them. */

const SI = ["", "k", "M", "G", "T", "P", "E", "Z"];

/** A hashrate in H/s as people read it: three significant figures. */
export function hashrate(hs: number): string {
  if (!(hs > 0)) return "0 H/s";
  const step = Math.min(SI.length - 1, Math.max(0, Math.floor(Math.log10(hs) / 3)));
  return `${(hs / 1000 ** step).toPrecision(3)} ${SI[step]}H/s`;
}

/** A part of one as a percentage that never rounds something to nothing, nor less than all to all. */
export function percent(part: number): string {
  if (!(part > 0)) return "0 %";
  if (part < 0.001) return "< 0.1 %";
  if (part > 0.999 && part < 1) return "> 99.9 %";
  const value = part * 100;
  if (value >= 99.5 && value < 100) return `${(Math.floor(value * 10) / 10).toFixed(1)} %`;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 2, signDisplay: "negative" });
export const count = (value: number): string => COUNT.format(value);

const FIGURE = new Intl.NumberFormat("en", {
  maximumFractionDigits: 2,
  maximumSignificantDigits: 4,
  roundingPriority: "lessPrecision",
  signDisplay: "negative",
});

/** A number of unknown kind, in four significant figures. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? value.toExponential(2) : FIGURE.format(value);
}

/** How long ago, in the largest unit that says it. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export type Zone = "UTC" | "local";

const parts = (zone: Zone, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("sv-SE", { ...options, ...(zone === "UTC" ? { timeZone: "UTC" } : {}) });
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
const MINUTE = { ...DAY, hour: "2-digit", minute: "2-digit" } as const;
const FORMATS = {
  minute: { UTC: parts("UTC", MINUTE), local: parts("local", MINUTE) },
  second: {
    UTC: parts("UTC", { ...MINUTE, second: "2-digit" }),
    local: parts("local", { ...MINUTE, second: "2-digit" }),
  },
  day: { UTC: parts("UTC", DAY), local: parts("local", DAY) },
};

/** ISO-like: 2026-11-23 14:05. Empty for an instant that is none. */
export function when(ms: number, zone: Zone, to: keyof typeof FORMATS = "minute"): string {
  return Number.isFinite(ms) ? FORMATS[to][zone].format(ms) : "";
}

const NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "code" });
/** A country's English name; the code itself where it has none. */
export function country(code: string): string {
  if (code === "ZZ" || code === "") return "Unknown";
  try {
    return NAMES.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Controls, directions, joiners, soft hyphens: all that draws nothing, but for line breaks and tabs. */
const UNSEEN = /((?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])/u;

/** Splits a text at characters that cannot be seen; every second part is such a one, by its code point. */
export const unseen = (text: string): string[] =>
  text
    .split(UNSEEN)
    .map((part, index) =>
      index % 2 === 0 ? part : `U+${part.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`,
    );

/**
 * A Poisson count's 95 % interval, by the Wilson-Hilferty approximation of the chi-squared quantile
 * (within 1.5 % of Garwood's exact interval from a count of 4 on; the upper end for 0, 3.69, is exact).
 */
export function poissonInterval(shares: number): { low: number; high: number } {
  const cube = (n: number, z: number) => n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;
  return {
    low: shares > 0 ? Math.max(0, cube(shares, -1.96)) : 0,
    high: shares > 0 ? cube(shares + 1, 1.96) : -Math.log(0.025),
  };
}
