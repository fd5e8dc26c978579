import { hashesPerDifficulty } from "#core/hashrate.ts";
import type { Observation, Outcome } from "#core/observation.ts";
import { Fleet } from "./fleet.ts";
import { gapAt } from "./gaps.ts";
import type { AccountPlan, Rig } from "./plan.ts";
import { type Logged, logClose, logLogin, logShare, logWorker } from "./pool-log.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";
import { accountAt, splitEndMs } from "./split.ts";
import { countShare, startVardiff, takePending, type Vardiff } from "./vardiff.ts";

const HOUR_MS = 3_600_000;
/** Pools hand out jobs about every half minute; an announced difficulty waits for the next. */
const JOB_MS = 30_000;

/** What a connection writes to, and what it tells of work done. */
export interface Sink {
  push(observation: Observation): void;
  credit(account: AccountPlan, hashes: number): void;
}

/** One miner's connection to the pool: a machine, or a proxy with many behind it. */
export class Connection {
  readonly site: Site;
  readonly #fleet: Fleet;
  readonly #lineIndex: number;
  readonly #random: Random;
  readonly #accounts: AccountPlan[];
  readonly #vardiffMs: number;
  readonly #factor: number;
  readonly #name: string;
  /** Operational time left until the next share: exponential with mean 1, whatever rate and difficulty do. */
  #left: number;
  #vardiff: Vardiff | null = null;
  readonly #logged: Logged;
  #sessions = 0;
  #accountIndex: number;
  #online = false;
  #openedMs = 0;
  #backAtMs: number;
  #breakAtMs = Number.POSITIVE_INFINITY;
  #failUntilMs = 0;
  #failAtMs: number;
  readonly #lag: number;
  /** Machines that a proxy has still to log in. */
  #newcomers: { rig: Rig; atMs: number }[] = [];
  #lateness = 0.002;

  constructor(options: {
    site: Site;
    rigs: Rig[];
    /** Position of the first of them in the site, which decides when it is switched off. */
    first: number;
    /** Which of the site's lines it stands on. */
    line: number;
    accounts: AccountPlan[];
    random: Random;
    vardiffMs: number;
    name: string;
    startMs: number;
  }) {
    const { site, rigs, first, line, accounts, random, vardiffMs, name, startMs } = options;
    this.site = site;
    this.#fleet = new Fleet(site, rigs, first);
    this.#lineIndex = line;
    this.#random = random;
    this.#accounts = accounts;
    this.#vardiffMs = vardiffMs;
    this.#name = name;
    this.#factor = hashesPerDifficulty((rigs[0] as Rig).model.algorithm);
    this.#left = random.exponential();
    this.#accountIndex = Math.max(0, (rigs[0] as Rig).account);
    this.#logged = {
      account: accounts[this.#accountIndex] as AccountPlan,
      session: "",
      ip: "",
      agent: site.plan.agent,
      worker: (atMs) => this.#fleet.worker(random, atMs),
    };
    this.#backAtMs = startMs + random.between(0, 2 * HOUR_MS);
    this.#failAtMs = startMs + 90 * 24 * HOUR_MS * random.exponential();
    this.#lag = random.between(0, 1);
    for (const rig of rigs) if (rig.fromMs > startMs) this.#newcomers.push({ rig, atMs: rig.fromMs });
  }

  /** Another program on the machines: the connection is made anew with it. */
  setAgent(agent: string, atMs: number): void {
    this.#logged.agent = agent;
    this.#breakAtMs = Math.min(this.#breakAtMs, atMs + this.#lag * 300_000);
  }

  /** Ends the connection within minutes: the address changed, or a person restarts the machine. */
  breakSoon(atMs: number): void {
    this.#breakAtMs = Math.min(this.#breakAtMs, atMs + this.#lag * 60_000);
  }

  /** Breaks where the line it stands on has got another address. */
  checkLine(atMs: number): void {
    if (this.#online && this.site.line(this.#lineIndex).ip !== this.#logged.ip) this.breakSoon(atMs);
  }

  /** A person gave the machine another name: it connects anew, or its proxy logs the name in if it passes names on. */
  renamed(rig: Rig, atMs: number): void {
    if (!this.#fleet.has(rig)) return;
    if (!this.site.plan.proxy) this.breakSoon(atMs);
    else this.#newcomers.push({ rig, atMs });
  }

  /** Lives through a step of time in which the site's load stands still. */
  advance(fromMs: number, toMs: number, sink: Sink): void {
    let nowMs = fromMs;
    while (nowMs < toMs) {
      const rate = nowMs < this.#failUntilMs ? 0 : this.#fleet.hashrateHs(nowMs);
      const gap = gapAt(this.site.plan.load.off, nowMs, this.#lag);
      if (rate <= 0 || gap.off) {
        const until = Math.min(toMs, gap.nextMs);
        if (this.#online) this.#close(nowMs, gap.off ? "timeout" : "closed", sink);
        this.#backAtMs = Math.max(this.#backAtMs, until + 1 + this.#lag * (gap.off ? gap.jitterMs : 240_000));
        nowMs = until;
        continue;
      }
      if (!this.#online) {
        if (this.#backAtMs >= Math.min(toMs, gap.nextMs)) {
          nowMs = Math.min(toMs, gap.nextMs);
          continue;
        }
        nowMs = Math.max(nowMs, this.#backAtMs);
        this.#open(nowMs, rate, sink);
      }
      nowMs = this.#mine(nowMs, Math.min(toMs, gap.nextMs), rate, sink);
    }
    if (this.#newcomers.length > 0) this.#logInNewcomers(toMs, sink);
  }

  /** Mines at one rate until `toMs` or until the connection breaks. */
  #mine(fromMs: number, toMs: number, rate: number, sink: Sink): number {
    const vardiff = this.#vardiff as Vardiff;
    const split = splitEndMs(this.site.plan.split, fromMs);
    const endMs = Math.max(fromMs, Math.min(toMs, this.#breakAtMs, split, this.#failAtMs));
    let nowMs = fromMs;
    let perMs = rate / 1000 / (vardiff.difficulty * this.#factor);
    for (;;) {
      const nextMs = nowMs + this.#left / perMs;
      const limitMs = vardiff.pending > 0 ? Math.min(endMs, Math.max(nowMs, vardiff.pendingFromMs)) : endMs;
      if (nextMs > limitMs) {
        this.#left -= (limitMs - nowMs) * perMs;
        nowMs = limitMs;
        if (takePending(vardiff, nowMs)) perMs = rate / 1000 / (vardiff.difficulty * this.#factor);
        if (nowMs >= endMs) break;
        continue;
      }
      nowMs = nextMs;
      this.#left = this.#random.exponential();
      this.#share(nowMs, vardiff, sink);
      countShare(vardiff, nowMs, this.#vardiffMs, JOB_MS);
    }
    if (endMs === toMs) return endMs;
    if (endMs >= this.#failAtMs) {
      this.#failUntilMs = endMs + this.#random.logUniform(0.5 * HOUR_MS, 48 * HOUR_MS);
      this.#failAtMs = this.#failUntilMs + 90 * 24 * HOUR_MS * this.#random.exponential();
    }
    this.#close(endMs, "closed", sink);
    this.#backAtMs =
      endMs === split
        ? endMs + 500
        : endMs + this.#random.logNormal(this.#random.chance(0.7) ? 3_000 : 90_000, 0.7);
    return endMs;
  }

  #share(atMs: number, vardiff: Vardiff, sink: Sink): void {
    const draw = this.#random.next();
    const outcome: Outcome =
      draw > this.#lateness + 0.0025
        ? "accepted"
        : draw < this.#lateness
          ? "stale"
          : draw < this.#lateness + 0.0004
            ? "duplicate"
            : "low-difficulty";
    sink.push(logShare(this.#logged, { atMs, difficulty: vardiff.difficulty, outcome }));
    if (outcome === "accepted") sink.credit(this.#logged.account, vardiff.difficulty * this.#factor);
  }

  #open(atMs: number, rate: number, sink: Sink): void {
    const line = this.site.line(this.#lineIndex);
    const random = this.#random;
    const logged = this.#logged;
    logged.ip = line.ip;
    this.#sessions += 1;
    logged.session = `${this.#name}.${this.#sessions}`;
    this.#online = true;
    this.#accountIndex = accountAt(this.site.plan.split, atMs) ?? this.#accountIndex;
    logged.account = this.#accounts[this.#accountIndex] as AccountPlan;
    this.#breakAtMs = atMs + this.site.plan.sessionHours * HOUR_MS * random.exponential();
    const ideal = (rate * this.#vardiffMs) / 1000 / this.#factor;
    this.#vardiff ??= startVardiff(Math.max(1, Math.round(ideal * random.logUniform(0.3, 3))));
    this.#vardiff.pending = 0;
    const rttMs = line.rttMs + random.exponential() * (1 + 0.03 * line.rttMs);
    const appRttMs =
      line.appRttMs +
      random.logNormal(this.site.plan.deviceMs, 0.6) +
      random.exponential() * (1 + 0.03 * line.appRttMs);
    this.#lateness = 0.0008 + appRttMs / 60_000;
    for (const step of logLogin(logged, { atMs, rttMs, appRttMs })) sink.push(step);
    this.#openedMs = atMs;
    if (!this.#passesNames) return;
    for (const rig of this.#fleet.running(atMs)) {
      const login = logWorker(logged, rig.worker, atMs + 2 + appRttMs);
      if (login) sink.push(login);
    }
  }

  /** Whether it is a proxy that tells the pool of its machines. */
  get #passesNames(): boolean {
    const { proxy } = this.site.plan;
    return proxy !== false && proxy.passesNames;
  }

  /** Who came while the connection stood; who came before is logged in as it opens. */
  #logInNewcomers(toMs: number, sink: Sink): void {
    const passed = this.#passesNames && this.#online;
    for (const { rig, atMs } of this.#newcomers) {
      if (!passed || atMs >= toMs || atMs < this.#openedMs) continue;
      const login = logWorker(this.#logged, rig.worker, atMs);
      if (login) sink.push(login);
    }
    this.#newcomers = this.#newcomers.filter(({ atMs }) => atMs >= toMs);
  }

  #close(atMs: number, reason: string, sink: Sink): void {
    this.#online = false;
    this.#breakAtMs = Number.POSITIVE_INFINITY;
    const closed = logClose(this.#logged, atMs, reason);
    if (closed) sink.push(closed);
  }
}
