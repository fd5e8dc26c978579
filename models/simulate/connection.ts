import { hashesPerDifficulty } from "#core/hashrate.ts";
import type { Observation, Outcome } from "#core/observation.ts";
import { Breaks } from "./breaks.ts";
import { Fleet } from "./fleet.ts";
import { gapAt } from "./gaps.ts";
import type { MachineModel } from "./machines.ts";
import type { AccountPlan, Rig } from "./plan.ts";
import { type Logged, logClose, logLogin, logShare, logWorker } from "./pool-log.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";
import { accountAt, ELSEWHERE, splitEndMs } from "./split.ts";
import { countShare, startVardiff, takePending, type Vardiff } from "./vardiff.ts";

const HOUR_MS = 3_600_000;
/** Pools hand out jobs about every half minute; an announced difficulty waits for the next. */
const JOB_MS = 30_000;
/** A program is replaced on all machines of a site within minutes. */
const UPDATE_MS = 300_000;

/** What a connection writes to, and what it tells of work done. */
export interface Sink {
  push(observation: Observation): void;
  credit(account: AccountPlan, hashes: number): void;
}

/** One miner's connection to the pool: a machine, or a proxy with many behind it. */
export class Connection {
  readonly site: Site;
  /** The machine, or the first of a proxy's. */
  readonly model: MachineModel;
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
  readonly #breaks: Breaks;
  /** What it presents from its next login on. */
  #agent: string;
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
    this.model = (rigs[0] as Rig).model;
    this.#factor = hashesPerDifficulty(this.model.algorithm);
    this.#left = random.exponential();
    this.#accountIndex = Math.max(0, (rigs[0] as Rig).account);
    this.#agent = (site.plan.proxy ? undefined : rigs[0]?.agent) ?? site.plan.agent;
    this.#logged = {
      account: accounts[this.#accountIndex] as AccountPlan,
      session: "",
      ip: "",
      agent: this.#agent,
      worker: (atMs) => this.#fleet.worker(random, atMs),
    };
    this.#backAtMs = startMs + random.between(0, 2 * HOUR_MS);
    this.#breaks = new Breaks(site.plan, random, startMs);
    for (const rig of rigs) if (rig.fromMs > startMs) this.#newcomers.push({ rig, atMs: rig.fromMs });
  }

  /** Another program on the machines: the connection is made anew with it. */
  setAgent(agent: string, atMs: number): void {
    this.#agent = agent;
    this.#breaks.soon(atMs, UPDATE_MS);
  }

  /** Ends the connection within a minute: the address changed, or the program is started anew. */
  breakSoon(atMs: number): void {
    this.#breaks.soon(atMs);
  }

  /** A person restarts the machine: the connection ends within a minute and comes back when it has booted. */
  restart(atMs: number): void {
    this.#breaks.reboot(atMs);
  }

  /** Whether a machine stands behind this connection. */
  serves(rig: Rig): boolean {
    return this.#fleet.has(rig);
  }

  /** Breaks where the line it stands on has got another address. */
  checkLine(atMs: number): void {
    if (this.#online && this.site.line(this.#lineIndex).ip !== this.#logged.ip) this.breakSoon(atMs);
  }

  /** A person gave the machine another name: it connects anew, or its proxy logs the name in if it passes names on. */
  renamed(rig: Rig, atMs: number): void {
    if (!this.serves(rig)) return;
    if (!this.site.plan.proxy) this.breakSoon(atMs);
    else this.#newcomers.push({ rig, atMs });
  }

  /** Lives through a step of time in which the site's load stands still. */
  advance(fromMs: number, toMs: number, sink: Sink): void {
    let nowMs = fromMs;
    while (nowMs < toMs) {
      const rate = this.#breaks.failed(nowMs) ? 0 : this.#fleet.hashrateHs(nowMs);
      const gap = gapAt(this.site.plan.load.off, nowMs, this.#breaks.lag);
      if (rate <= 0 || gap.off) {
        const until = Math.min(toMs, gap.nextMs);
        if (this.#online) this.#close(nowMs, gap.off ? "timeout" : "closed", sink);
        const lateMs = this.#breaks.lag * (gap.off ? gap.jitterMs : 240_000);
        this.#backAtMs = Math.max(this.#backAtMs, until + 1 + lateMs);
        nowMs = until;
        continue;
      }
      if (!this.#online) {
        const backMs = this.#minesHereFrom(Math.max(nowMs, this.#backAtMs));
        if (backMs >= Math.min(toMs, gap.nextMs)) {
          nowMs = Math.min(toMs, gap.nextMs);
          continue;
        }
        nowMs = backMs;
        this.#open(nowMs, rate, sink);
      }
      nowMs = this.#mine(nowMs, Math.min(toMs, gap.nextMs), rate, sink);
    }
    if (this.#newcomers.length > 0) this.#logInNewcomers(toMs, sink);
  }

  /** The instant, or the next at which it does not mine elsewhere. */
  #minesHereFrom(atMs: number): number {
    const { split } = this.site.plan;
    const { lag } = this.#breaks;
    return accountAt(split, atMs, lag) === ELSEWHERE ? splitEndMs(split, atMs, lag) + 1 : atMs;
  }

  /** Mines at one rate until `toMs` or until the connection breaks. */
  #mine(fromMs: number, toMs: number, rate: number, sink: Sink): number {
    const vardiff = this.#vardiff as Vardiff;
    const split = splitEndMs(this.site.plan.split, fromMs, this.#breaks.lag);
    const endMs = Math.max(fromMs, Math.min(toMs, this.#breaks.nextMs, split));
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
    this.#close(endMs, "closed", sink);
    this.#backAtMs = endMs + (endMs === split ? 500 : this.#breaks.drawWaitMs(endMs));
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
    logged.agent = this.#agent;
    this.#sessions += 1;
    logged.session = `${this.#name}.${this.#sessions}`;
    this.#online = true;
    this.#accountIndex = accountAt(this.site.plan.split, atMs, this.#breaks.lag) ?? this.#accountIndex;
    logged.account = this.#accounts[this.#accountIndex] as AccountPlan;
    this.#breaks.open(atMs, logged.account.pool.restartsMs);
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
    const closed = logClose(this.#logged, atMs, reason);
    if (closed) sink.push(closed);
  }
}
