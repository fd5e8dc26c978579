import { FEATURE_INDEX, FEATURES } from "#core/features.ts";

/** One rule as pools and compliance tools apply it today: a feature, and from where on it counts. */
interface Rule {
  feature: string;
  from: number;
  weight: number;
}

const rule = (feature: string, from: number, weight: number): Rule => ({ feature, from, weight });

/**
 * The usual practice: a list of rules, each with a threshold, and the sum of what fired. Thresholds: CalcuLatency's
 * (20 ms and half of the round trip), FATF's payments below thresholds, and round numbers as operators choose them.
 */
const RULES: readonly Rule[] = [
  rule("origin.comprehensive", 0.01, 5),
  rule("origin.watch", 0.5, 1),
  rule("origin.watchCountries", 2, 1),
  rule("origin.hidden", 0.5, 2),
  rule("origin.newSources", 1, 1),
  rule("latency.hiddenLeg", Math.log10(21), 1),
  rule("latency.hiddenShare", 0.5, 1),
  rule("hashrate.onset", Math.log10(25), 1),
  rule("hashrate.largestChange", 3, 1),
  rule("fleet.workersPerAddress", 5, 1),
  rule("fleet.addresses", 1.5, 1),
  rule("fleet.proxyAgent", 0.5, 1),
  rule("fleet.rentalAgent", 0.5, 1),
  rule("operator.pyongyangHours", 0.8, 1),
  rule("payout.nearThreshold", 0.5, 2),
  rule("payout.addressChanges", Math.log10(1.5), 1),
  rule("linkage.payout", Math.log10(1.5), 1),
  rule("linkage.network", Math.log10(1.5), 1),
  rule("linkage.split", 0.4, 2),
  rule("route.coincidence", 2, 2),
];

/** Sum of the weights of the rules that fire, for each row. A missing feature fires nothing. */
export function scoreByRules(rows: Float32Array, count: number): Float64Array {
  const width = FEATURES.length;
  const columns = RULES.map(({ feature }) => {
    const column = FEATURE_INDEX.get(feature);
    if (column === undefined) throw new Error(`rules: no feature "${feature}"`);
    return column;
  });
  const scores = new Float64Array(count);
  for (let row = 0; row < count; row += 1) {
    let sum = 0;
    for (let index = 0; index < RULES.length; index += 1) {
      const { from, weight } = RULES[index] as Rule;
      if ((rows[row * width + (columns[index] as number)] as number) >= from) sum += weight;
    }
    scores[row] = sum;
  }
  return scores;
}
