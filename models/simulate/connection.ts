import { hashesPerDifficulty } from "#core/hashrate.ts";
import type { Observation, Outcome, Session, Share } from "#core/observation.ts";
import type { AccountPlan, Rig } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";
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
  readonly #rigs: Rig[];
  readonly #first: number;
  readonly #lineIndex: number;
  readonly #random: Random;
  readonly #accounts: AccountPlan[];
  readonly #vardiffMs: number;
  readonly #factor: number;
  readonly #name: string;
  /** Operational time left until the next share: exponential with mean 1, whatever rate and difficulty do. */
  #left: number;
  #vardiff: Vardiff | null = null;
  #session = "";
  #sessions = 0;
  #account: AccountPlan;
  #accountIndex: number;
  #agent: string;
  #ip = "";
  #online = false;
  #backAtMs: number;
  #breakAtMs = Number.POSITIVE_INFINITY;
  #failUntilMs = 0;
  #failAtMs: number;
  readonly #lag: number;
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
    this.#rigs = rigs;
    this.#first = first;
    this.#lineIndex = line;
    this.#random = random;
    this.#accounts = accounts;
    this.#vardiffMs = vardiffMs;
    this.#name = name;
    this.#factor = hashesPerDifficulty((rigs[0] as Rig).model.algorithm);
    this.#left = random.exponential();
    this.#accountIndex = Math.max(0, (rigs[0] as Rig).account);
    this.#account = accounts[this.#accountIndex] as AccountPlan;
    this.#agent = site.plan.agent;
    this.#backAtMs = startMs + random.between(0, 2 * HOUR_MS);
    this.#failAtMs = startMs + 90 * 24 * HOUR_MS * random.exponential();
    this.#lag = random.between(0, 1);
  }

  /** Another program on the machines: the connection is made anew with it. */
  setAgent(agent: string, atMs: number): void {
    this.#agent = agent;
    this.#breakAtMs = Math.min(this.#breakAtMs, atMs + this.#lag * 300_000);
  }

  /** Ends the connection within minutes: the address changed, or a person restarts the machine. */
  breakSoon(atMs: number): void {
    this.#breakAtMs = Math.min(this.#breakAtMs, atMs + this.#lag * 60_000);
  }

  /** Breaks where the line it stands on has got another address. */
  checkLine(atMs: number): void {
    if (this.#online && this.site.line(this.#lineIndex).ip !== this.#ip) this.breakSoon(atMs);
  }

  /** Whether a machine mines over this connection. */
  has(rig: Rig): boolean {
    return this.#rigs.includes(rig);
  }

  /** Lives through a step of time in which the site's load stands still. */
  advance(fromMs: number, toMs: number, sink: Sink): void {
    let nowMs = fromMs;
    while (nowMs < toMs) {
      const rate = this.#hashrate(nowMs);
      const gap = this.#gap(nowMs);
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
  }

  /** Mines at one rate until `toMs` or until the connection breaks. */
  #mine(fromMs: number, toMs: number, rate: number, sink: Sink): number {
    const vardiff = this.#vardiff as Vardiff;
    const split = this.#splitEndMs(fromMs);
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
    const random = this.#random;
    const { pool } = this.#account;
    const draw = random.next();
    const outcome: Outcome =
      draw > this.#lateness + 0.0025
        ? "accepted"
        : draw < this.#lateness
          ? "stale"
          : draw < this.#lateness + 0.0004
            ? "duplicate"
            : "low-difficulty";
    const share: Share = {
      type: "share",
      atMs: Math.floor(atMs),
      pool: pool.name,
      algorithm: pool.algorithm,
      account: this.#account.name,
      difficulty: vardiff.difficulty,
      outcome,
    };
    if (pool.logs.worker) share.worker = this.#worker();
    if (pool.logs.sessions) share.session = this.#session;
    if (pool.logs.ip) share.ip = this.#ip;
    if (pool.logs.agent) share.agent = this.#agent;
    sink.push(share);
    if (outcome === "accepted") sink.credit(this.#account, vardiff.difficulty * this.#factor);
  }

  #worker(): string {
    const { proxy } = this.site.plan;
    if (!proxy || proxy.passesNames) {
      return (this.#rigs[Math.floor(this.#rigs.length * this.#random.next())] as Rig).worker;
    }
    return proxy.sessionWorker;
  }

  #open(atMs: number, rate: number, sink: Sink): void {
    const line = this.site.line(this.#lineIndex);
    const random = this.#random;
    this.#ip = line.ip;
    this.#sessions += 1;
    this.#session = `${this.#name}.${this.#sessions}`;
    this.#online = true;
    this.#accountIndex = this.#accountAt(atMs);
    this.#account = this.#accounts[this.#accountIndex] as AccountPlan;
    this.#breakAtMs = atMs + this.site.plan.sessionHours * HOUR_MS * random.exponential();
    const ideal = (rate * this.#vardiffMs) / 1000 / this.#factor;
    this.#vardiff ??= startVardiff(Math.max(1, Math.round(ideal * random.logUniform(0.3, 3))));
    this.#vardiff.pending = 0;
    const { pool } = this.#account;
    const rttMs = line.rttMs + random.exponential() * (1 + 0.03 * line.rttMs);
    const appRttMs =
      line.appRttMs +
      random.logNormal(this.site.plan.deviceMs, 0.6) +
      random.exponential() * (1 + 0.03 * line.appRttMs);
    this.#lateness = 0.0008 + appRttMs / 60_000;
    if (!pool.logs.sessions) return;
    const base = { type: "session" as const, pool: pool.name, session: this.#session, ip: this.#ip };
    const tenth = (value: number): number => Math.round(value * 10) / 10;
    const opened: Session = { ...base, event: "open", atMs: Math.floor(atMs) };
    if (pool.logs.rtt) opened.rttMs = tenth(rttMs);
    if (pool.logs.steps) sink.push(opened);
    const authorized: Session = {
      ...base,
      event: "authorize",
      atMs: Math.floor(atMs + 1 + appRttMs),
      account: this.#account.name,
    };
    if (pool.logs.agent) authorized.agent = this.#agent;
    if (pool.logs.worker) authorized.worker = this.#worker();
    if (pool.logs.rtt) {
      authorized.rttMs = tenth(rttMs);
      authorized.appRttMs = tenth(appRttMs);
    }
    sink.push(authorized);
  }

  #close(atMs: number, reason: string, sink: Sink): void {
    this.#online = false;
    this.#breakAtMs = Number.POSITIVE_INFINITY;
    const { pool } = this.#account;
    if (!pool.logs.sessions) return;
    sink.push({
      type: "session",
      atMs: Math.floor(atMs),
      pool: pool.name,
      session: this.#session,
      event: "close",
      ip: this.#ip,
      account: this.#account.name,
      reason,
    });
  }

  /** Hashes per second of what is on now. */
  #hashrate(nowMs: number): number {
    const { site } = this;
    if (nowMs < this.#failUntilMs) return 0;
    const total = site.plan.rigs.length;
    let sum = 0;
    for (let index = 0; index < this.#rigs.length; index += 1) {
      const rig = this.#rigs[index] as Rig;
      if (nowMs >= rig.fromMs && nowMs < rig.toMs && this.#first + index + 0.5 <= site.on * total + 1e-9) {
        sum += rig.hashrateHs;
      }
    }
    return sum * site.speed;
  }

  /** Whether the site is without power or line now, and when that next changes. */
  #gap(nowMs: number): { off: boolean; nextMs: number; jitterMs: number } {
    for (const span of this.site.plan.load.off) {
      const late = this.#lag * Math.min(span.jitterMs, 30_000);
      if (nowMs < span.fromMs + late) return { off: false, nextMs: span.fromMs + late, jitterMs: 0 };
      if (nowMs < span.toMs) return { off: true, nextMs: span.toMs, jitterMs: span.jitterMs };
    }
    return { off: false, nextMs: Number.POSITIVE_INFINITY, jitterMs: 0 };
  }

  #accountAt(atMs: number): number {
    const { split } = this.site.plan;
    if (!split) return this.#accountIndex;
    const within = (atMs % split.periodMs) / split.periodMs;
    let sum = 0;
    for (let index = 0; index < split.parts.length; index += 1) {
      sum += split.parts[index] as number;
      if (within < sum) return index;
    }
    return split.parts.length - 1;
  }

  /** When a site that splits by time next turns to another account. */
  #splitEndMs(atMs: number): number {
    const { split } = this.site.plan;
    if (!split) return Number.POSITIVE_INFINITY;
    const startMs = atMs - (atMs % split.periodMs);
    let sum = 0;
    for (const part of split.parts) {
      sum += part;
      const endMs = startMs + sum * split.periodMs;
      if (endMs > atMs + 1) return endMs;
    }
    return startMs + split.periodMs;
  }
}
