import { type AccountState, mainCountry } from "#core/account-state.ts";
import { BITMAP, CELL, effectiveHours, HOURS, WHOLE_HOURS, WORD } from "#core/cells.ts";
import { changesOf, hasChanges } from "#core/changes.ts";
import { FEATURES } from "#core/features.ts";
import type { Links } from "#core/linkage.ts";
import { HOUR_MS } from "#core/metrics.ts";
import { placesOf } from "#core/places.ts";
import { distinct } from "#core/sketch.ts";
import { utcOffset } from "#core/time-zones.ts";

/** What a pool's sources can tell at all: a feature whose source is silent is missing, not 0. */
export interface Coverage {
  sessions: boolean;
  /** Whether connections are told to have ended, and not only begun. */
  closes: boolean;
  payouts: boolean;
  routes: boolean;
}

/** Columns by name, and their ranges: hot path, an account and window has half a hundred of them. */
const F = Object.fromEntries(FEATURES.map(({ name }, index) => [name, index])) as Record<string, number>;
const LOWS = Float64Array.from(FEATURES, ({ range }) => range[0]);
const HIGHS = Float64Array.from(FEATURES, ({ range }) => range[1]);

/** The clock's circle, by the hour. */
const COS = Float64Array.from({ length: 24 }, (_, hour) => Math.cos((hour / 24) * 2 * Math.PI));
const SIN = Float64Array.from({ length: 24 }, (_, hour) => Math.sin((hour / 24) * 2 * Math.PI));

/** log10(1 + value); by the natural logarithm, which takes half as long. */
const log1 = (value: number): number => Math.log(1 + value) * Math.LOG10E;
const part = (some: number, whole: number): number => (whole > 0 ? some / whole : Number.NaN);

/**
 * Writes the account's feature vector for a window that ends at `atMs` (a full hour to which the state was rolled)
 * into `row` from `at`. Missing features are NaN; the others are clamped to their range.
 */
export function writeFeatures(
  state: AccountState,
  atMs: number,
  context: { coverage: Coverage; links: Links; routeCoincidence: number },
  row: Float32Array,
  at: number,
): void {
  row.fill(Number.NaN, at, at + FEATURES.length);
  const put: Put = (index, value) => {
    row[at + index] = Math.min(Math.max(value, LOWS[index] as number), HIGHS[index] as number);
  };
  const { doubles, at: base } = state.place;
  const cell = (offset: number): number => doubles[base + offset] as number;
  const ageHours = Math.max(1, Math.ceil((atMs - cell(CELL.firstMs)) / HOUR_MS));
  putOrigin(state, put, cell);
  putLatency(put, cell);
  putHashrate(state, atMs, ageHours, put, cell);
  putFleet(state, context.coverage, ageHours, put, cell);
  putOperator(state, context.coverage, ageHours, put, cell);
  if (context.coverage.payouts) putPayouts(context.links, put, cell);
  putLinks(context.links, put);
  if (context.coverage.routes) put(F["route.coincidence"], context.routeCoincidence);
}

/** Payouts fade over a month: below so many nothing is left to tell from. */
const LEAST_PAYOUTS = 0.05;

function putPayouts(links: Links, put: Put, cell: Cell): void {
  const payouts = cell(CELL.monthPayouts);
  put(F["payout.payments"], log1(payouts));
  if (payouts <= LEAST_PAYOUTS) return;
  put(F["payout.nearThreshold"], part(cell(CELL.monthNearThreshold), payouts));
  put(F["payout.addressChanges"], log1(cell(CELL.weekAddressChanges)));
  put(F["linkage.payout"], log1(links.payout));
  const priced = cell(CELL.monthPriced);
  if (priced <= LEAST_PAYOUTS) return;
  const mean = cell(CELL.monthUsdLog) / priced;
  put(F["payout.size"], mean);
  put(F["payout.spread"], Math.sqrt(Math.max(0, cell(CELL.monthUsdLogSquare) / priced - mean * mean)));
}

function putLinks(links: Links, put: Put): void {
  put(F["linkage.network"], log1(links.network));
  put(F["linkage.template"], log1(links.template));
  put(F["linkage.split"], links.split);
  put(F["linkage.together"], links.together);
  put(F["linkage.succession"], links.succession?.nats ?? 0);
  put(F["linkage.coincidence"], log1(links.coincidence));
  const { cluster } = links;
  put(F["linkage.cluster"], log1(cluster ? cluster.members.length - 1 : 0));
  if (!cluster) return;
  put(F["linkage.clusterPlaces"], cluster.watchPlaces);
  put(F["linkage.clusterHours"], cluster.hoursEvidence);
  put(F["linkage.clusterNearThreshold"], log1(cluster.nearThreshold));
}

type Put = (index: number, value: number) => void;
type Cell = (offset: number) => number;

function putOrigin(state: AccountState, put: Put, cell: Cell): void {
  const day = cell(CELL.dayLocated);
  if (!(day > 0)) return;
  put(F["origin.comprehensive"], cell(CELL.dayComprehensive) / day);
  put(F["origin.watch"], part(cell(CELL.weekWatch), cell(CELL.weekLocated)));
  put(F["origin.hosting"], cell(CELL.dayHosting) / day);
  put(F["origin.hidden"], cell(CELL.dayHidden) / day);
  put(F["origin.satellite"], cell(CELL.daySatellite) / day);
  put(F["origin.unknown"], cell(CELL.dayUnknown) / day);
  put(F["origin.newSources"], log1(cell(CELL.daySources)));
  let entropy = 0;
  let watched = 0;
  let countries = 0;
  for (const { watch, part: share } of placesOf(state)) {
    if (share > 0) entropy -= share * Math.log2(share);
    if (share >= 0.02) countries += 1;
    if (share >= 0.02 && watch) watched += 1;
  }
  put(F["origin.watchCountries"], watched);
  put(F["origin.countries"], countries);
  put(F["origin.entropy"], entropy);
}

function putLatency(put: Put, cell: Cell): void {
  const tcp = Math.min(cell(CELL.tcpToday), cell(CELL.tcpYesterday));
  const app = Math.min(cell(CELL.appToday), cell(CELL.appYesterday));
  if (tcp < Number.POSITIVE_INFINITY) put(F["latency.tcp"], log1(tcp));
  if (app < Number.POSITIVE_INFINITY) put(F["latency.app"], log1(app));
  const told = cell(CELL.dayLegged);
  if (told > 0.05) {
    put(F["latency.leg"], cell(CELL.dayLegLog) / told);
    put(F["latency.longLegs"], cell(CELL.dayHiddenLegs) / told);
  }
  if (!(tcp + app < Number.POSITIVE_INFINITY)) return;
  const hidden = Math.max(0, app - tcp);
  put(F["latency.hiddenLeg"], log1(hidden));
  put(F["latency.hiddenShare"], app > 0 ? hidden / app : 0);
}

/** A return after silence is news for so long. */
const RETURN_HOURS = 21 * 24;

function putHashrate(state: AccountState, atMs: number, ageHours: number, put: Put, cell: Cell): void {
  const dayRate = cell(CELL.dayWork) / effectiveHours(ageHours, 24) / 3600;
  const weekRate = cell(CELL.weekWork) / effectiveHours(ageHours, HOURS) / 3600;
  put(F["hashrate.size"], log1(dayRate));
  if (dayRate > 0 && weekRate > 0) put(F["hashrate.dayOverWeek"], Math.log2(dayRate / weekRate));
  put(F["hashrate.changesUp"], log1(cell(CELL.weekUp)));
  put(F["hashrate.changesDown"], log1(cell(CELL.weekDown)));
  let largest = 0;
  let evidence = 0;
  for (const change of hasChanges(state) ? changesOf(state) : []) {
    if (change.atMs < atMs - HOURS * HOUR_MS) continue;
    largest = Math.max(largest, Math.abs(change.log2Ratio));
    evidence = Math.max(evidence, change.logLikelihoodRatio);
  }
  put(F["hashrate.largestChange"], largest);
  put(F["hashrate.evidence"], log1(evidence));
  const returnMs = cell(CELL.returnMs);
  const since = returnMs > 0 ? (atMs - returnMs) / HOUR_MS : Number.POSITIVE_INFINITY;
  if (since <= RETURN_HOURS) {
    put(F["hashrate.onset"], log1(cell(CELL.silentHours)));
    const [before, now] = [cell(CELL.workBefore), dayRate * 3600];
    if (before > 0 && now > 0) put(F["hashrate.returnRatio"], Math.log2(now / before));
  } else put(F["hashrate.onset"], 0);
  put(F["hashrate.returns"], log1(cell(CELL.quarterReturns)));
  putHours(state, atMs, ageHours, put);
}

/** Least relative variance beyond a Poisson process's that is told: a rate that wanders by a hundredth. */
const LEAST_DISPERSION = 1e-4;

/** Features of the hourly ring: dispersion, activity and the daily profile. */
function putHours(state: AccountState, atMs: number, ageHours: number, put: Put): void {
  const { floats, wordAt } = state.place;
  // The hour it began in is no whole one either.
  const known = Math.min(WHOLE_HOURS, ageHours - 1);
  const newest = Math.floor(atMs / HOUR_MS) - 1;
  let sum = 0;
  let squares = 0;
  let active = 0;
  let work = 0;
  let cos = 0;
  let sin = 0;
  let slot = newest % HOURS;
  let clock = newest % 24;
  for (let back = 0; back < known; back += 1) {
    const shares = floats[wordAt + WORD.hourShares + slot] as number;
    sum += shares;
    squares += shares * shares;
    if (shares > 0) active += 1;
    const hourWork = floats[wordAt + WORD.hourWork + slot] as number;
    work += hourWork;
    cos += hourWork * (COS[clock] as number);
    sin += hourWork * (SIN[clock] as number);
    slot = slot === 0 ? HOURS - 1 : slot - 1;
    clock = clock === 0 ? 23 : clock - 1;
  }
  put(F["hashrate.active"], part(active, known));
  if (sum === 0 || known < 24) return;
  const mean = sum / known;
  const excess = (squares / known - mean * mean - mean) / (mean * mean);
  // Below its standard error under Poisson, √(2/n) over the mean, an excess is not told from none.
  const told = Math.max(LEAST_DISPERSION, Math.sqrt(2 / known) / mean);
  put(F["hashrate.dispersion"], Math.log10(Math.max(told, excess)));
  const amplitude = Math.hypot(cos, sin);
  put(F["hashrate.profile"], (2 * amplitude) / work);
  put(F["hashrate.profilePhaseCos"], amplitude > 0 ? cos / amplitude : 0);
  put(F["hashrate.profilePhaseSin"], amplitude > 0 ? sin / amplitude : 0);
}

function putFleet(state: AccountState, coverage: Coverage, ageHours: number, put: Put, cell: Cell): void {
  const { words, wordAt } = state.place;
  const count = ({ at, words: length }: { at: number; words: number }): number =>
    distinct(words, wordAt + WORD.today + at, wordAt + WORD.yesterday + at, length);
  const workers = count(BITMAP.workers);
  const addresses = count(BITMAP.addresses);
  const agents = count(BITMAP.agents);
  const templates = count(BITMAP.templates);
  if (workers > 0) {
    put(F["fleet.workers"], log1(workers));
    put(F["fleet.templates"], log1(templates));
    put(F["fleet.machineRate"], log1(cell(CELL.dayWork) / effectiveHours(ageHours, 24) / 3600 / workers));
  }
  if (addresses > 0) put(F["fleet.addresses"], log1(addresses));
  if (addresses > 0 && workers > 0) put(F["fleet.workersPerAddress"], Math.log2(workers / addresses));
  if (agents > 0) put(F["fleet.agents"], log1(agents));
  if (cell(CELL.dayAgented) > 0) {
    put(F["fleet.proxyAgent"], cell(CELL.dayProxyAgent) / cell(CELL.dayAgented));
    put(F["fleet.rentalAgent"], cell(CELL.dayRentalAgent) / cell(CELL.dayAgented));
  }
  const all = cell(CELL.dayShares) + cell(CELL.dayStale) + cell(CELL.dayRejected);
  if (all > 0) {
    put(F["fleet.stale"], cell(CELL.dayStale) / all);
    put(F["fleet.rejected"], cell(CELL.dayRejected) / all);
  }
  if (coverage.sessions) put(F["fleet.sessions"], log1(cell(CELL.daySessions)));
}

function putOperator(state: AccountState, coverage: Coverage, ageHours: number, put: Put, cell: Cell): void {
  put(F["operator.age"], log1(ageHours));
  if (coverage.closes) {
    put(F["operator.restarts"], log1(cell(CELL.quarterRestarts)));
    put(F["operator.restartEvidence"], cell(CELL.quarterRestartEvidence));
  }
  const actions = cell(CELL.quarterActions);
  put(F["operator.actions"], log1(actions));
  put(F["operator.hoursEvidence"], cell(CELL.quarterHoursEvidence));
  // Below about two recent actions a fraction says nothing.
  if (actions < 1.5) return;
  put(F["operator.pyongyangHours"], cell(CELL.quarterPyongyang) / actions);
  if (utcOffset(mainCountry(state)) !== undefined)
    put(F["operator.localHours"], cell(CELL.quarterLocal) / actions);
  const [cos, sin] = [cell(CELL.quarterActionsCos), cell(CELL.quarterActionsSin)];
  const length = Math.hypot(cos, sin);
  put(F["operator.concentration"], length / actions);
  put(F["operator.phaseCos"], length > 0 ? cos / length : 0);
  put(F["operator.phaseSin"], length > 0 ? sin / length : 0);
}
