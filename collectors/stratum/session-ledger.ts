import { hashesPerDifficulty } from "#core/hashrate.ts";
import { type Job, MAX_DIFFICULTY, type Outcome, type Session, type Share } from "#core/observation.ts";
import { LeastRoundTrips } from "./least-round-trips.ts";
import type { LedgerContext, Moment, Pending, SessionIdentity } from "./ledger-context.ts";
import { hashesForTarget } from "./work-target.ts";
import { splitWorkerName, type WorkerName } from "./worker-name.ts";

/** Requests one connection may have open; miners keep at most a few. The oldest is given up. */
const MAX_PENDING = 256;
/** Jobs one connection is told before the oldest is forgotten; pools keep those since the last clean one. */
const MAX_JOBS = 32;
/** Jobs kept over a clean one, so that late shares are still bound to their own difficulty. */
const KEPT_OVER_CLEAN = 4;
const UNNAMED = { reason: "share of a login that was not seen" };

/**
 * The books of one connection, whatever dialect it speaks: open requests, the difficulty each job was handed out
 * with, who logged in, and the least round trips seen. A difficulty belongs to the job it was in force for when the
 * job was announced: after a vardiff step shares of the old job still count at the old one. Everything is bounded.
 */
export class SessionLedger {
  readonly identity: SessionIdentity;
  readonly context: LedgerContext;
  agent: string | undefined;
  /** Extranonce 1 and 2 together, in bytes; null until a subscribe was answered. */
  extranonceBytes: number | null = null;
  /** The name last logged in with, for dialects whose shares name nobody. */
  loginName: unknown;
  #algorithm: string;
  /** What a share of announced difficulty 1 stands for; null: the algorithm's own unit. */
  #hashesPerUnit: number | null = null;
  /** Announced last: one of the two, the other is NaN. Both are while none is known. */
  #announcedDifficulty = Number.NaN;
  #announcedHashes = Number.NaN;
  #pending: Pending[] = [];
  #jobs = new Map<string, number>();
  #cleanJob: string | null = null;
  #cleanTickMs = 0;
  #subscribedTickMs = Number.NaN;
  #login: WorkerName | undefined;
  readonly #roundTrips = new LeastRoundTrips();
  /** A question of the pool that waits for the miner's answer. */
  #question: { id: string; tickMs: number } | null = null;
  #lastName: unknown;
  #lastSplit: WorkerName | { reason: string } = { reason: "no worker name" };
  #closed = false;

  constructor(context: LedgerContext, identity: SessionIdentity) {
    this.context = context;
    this.identity = identity;
    this.#algorithm = context.algorithm;
  }

  /** The difficulty in force, in the algorithm's unit; NaN while none is known. */
  get difficulty(): number {
    const unit = hashesPerDifficulty(this.#algorithm);
    if (!Number.isNaN(this.#announcedHashes)) return this.#announcedHashes / unit;
    return this.#announcedDifficulty * (this.#hashesPerUnit === null ? 1 : this.#hashesPerUnit / unit);
  }

  /** Settles the algorithm: the configured one if it is among these, else the first; with none given it stays. */
  adopt(algorithms: readonly string[], hashesPerUnit?: number): void {
    this.#hashesPerUnit = hashesPerUnit ?? null;
    if (algorithms.includes(this.context.algorithm)) this.#algorithm = this.context.algorithm;
    else this.#algorithm = algorithms[0] ?? this.context.algorithm;
  }

  /** Told again where what opened the connection became known later: a TLS hello that was whole only then. */
  opened({ atMs }: Moment): void {
    this.#tell("open", atMs);
  }

  /** Ends the books: what is still open was never answered. Later calls do nothing. */
  closed({ atMs }: Moment, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.context.counters.unanswered += this.#pending.length;
    this.#pending = [];
    this.#jobs.clear();
    this.#tell("close", atMs, this.#login, reason);
  }

  /** Keeps a request until it is answered. Ids may repeat: answers then meet requests in their order. */
  ask(request: Pending): void {
    // Polls under one id are often answered under another, or not at all.
    if (
      request.kind === "other" &&
      this.#pending.some(({ kind, id }) => kind === "other" && id === request.id)
    )
      return;
    this.#pending.push(request);
    if (this.#pending.length > MAX_PENDING) {
      this.#pending.shift();
      this.context.counters.unanswered += 1;
    }
  }

  /** Takes the oldest open request with this id. */
  answered(id: string): Pending | undefined {
    const at = this.#pending.findIndex((request) => request.id === id);
    if (at < 0) {
      this.context.counters.unasked += 1;
      return undefined;
    }
    return at === 0 ? this.#pending.shift() : this.#pending.splice(at, 1)[0];
  }

  subscribed({ atMs, tickMs }: Moment, agent: string | undefined): void {
    if (agent !== undefined) this.agent = agent;
    this.#subscribedTickMs = tickMs;
    this.#tell("subscribe", atMs);
  }

  /** A login was asked for; the turn-around since the subscribe was answered is a round trip and the miner's own time. */
  authorizing({ tickMs }: Moment): void {
    this.#roundTrips.take("appRttMs", tickMs - this.#subscribedTickMs);
    this.#subscribedTickMs = Number.NaN;
  }

  /** A login was accepted. */
  authorized({ atMs }: Moment, name: unknown): void {
    const split = this.#split(name);
    if ("reason" in split) {
      this.context.refuse(split.reason, this.identity.session);
      return;
    }
    this.#login = split;
    this.loginName = name;
    this.#tell("authorize", atMs, split);
  }

  /** Takes an announced difficulty. After one that cannot be, none is known: no share is counted at a guess. */
  setDifficulty(value: unknown): void {
    this.forgetDifficulty();
    const difficulty = typeof value === "string" && value !== "" ? Number(value) : value;
    if (isDifficulty(difficulty)) this.#announcedDifficulty = difficulty;
    else this.#refuseDifficulty();
  }

  /** Takes an announced target, 256 bits big-endian in hexadecimal. */
  setTarget(value: unknown): void {
    this.forgetDifficulty();
    this.#announcedHashes = hashesForTarget(value);
    if (Number.isNaN(this.#announcedHashes)) this.#refuseDifficulty();
  }

  /** Until the next announcement no difficulty is known. */
  forgetDifficulty(): void {
    this.#announcedDifficulty = Number.NaN;
    this.#announcedHashes = Number.NaN;
  }

  #refuseDifficulty(): void {
    this.context.counters.badDifficulties += 1;
    this.context.refuse("difficulty that cannot be one", this.identity.session);
  }

  /** Tells a job the pool announced; `complete` fills in what costs time to decode and gives the template's branches. */
  announceJob(
    { atMs }: Moment,
    said: Pick<Job, "jobId" | "prevHash" | "clean" | "height">,
    complete: (job: Job) => readonly string[] = () => [],
  ): void {
    const job: Job = { type: "job", atMs: Math.floor(atMs), pool: this.context.pool, ...said };
    this.context.announce(job, () => {
      const branches = complete(job);
      this.context.onTemplate?.(job, branches);
    });
  }

  /** Binds a job to the difficulty in force, or to its own (in `hashes`) where the dialect carries it in the job. */
  bindJob({ tickMs }: Moment, jobId: string, clean: boolean, hashes?: number): void {
    const own = hashes === undefined ? this.difficulty : hashes / hashesPerDifficulty(this.#algorithm);
    if (hashes !== undefined) {
      this.#announcedHashes = hashes;
      if (!isDifficulty(own)) this.#refuseDifficulty();
    }
    const difficulty = isDifficulty(own) ? own : Number.NaN;
    if (clean) {
      this.#forgetJobs(KEPT_OVER_CLEAN);
      this.#cleanJob = jobId;
      this.#cleanTickMs = tickMs;
    }
    this.#jobs.delete(jobId);
    this.#jobs.set(jobId, difficulty);
    this.#forgetJobs(MAX_JOBS);
  }

  /** A share was handed in. */
  submitting({ atMs, tickMs }: Moment, id: string, name: unknown, jobId: string): void {
    let difficulty = this.#jobs.get(jobId);
    if (difficulty === undefined) {
      this.context.counters.unknownJobs += 1;
      difficulty = this.difficulty;
    }
    const request: Pending = { id, kind: "submit", name, difficulty, announced: this.difficulty, atMs };
    if (this.#cleanJob === jobId) {
      this.#cleanJob = null;
      request.delayMs = tickMs - this.#cleanTickMs;
    }
    this.ask(request);
  }

  /** A share was judged. It is dated when it was handed in. */
  judged({ atMs }: Moment, share: Extract<Pending, { kind: "submit" }>, outcome: Outcome | null): void {
    const { session, address } = this.identity;
    const split = share.name === undefined ? UNNAMED : this.#split(share.name);
    if ("reason" in split || outcome === null || Number.isNaN(share.difficulty)) {
      const without =
        outcome === null ? "answer that neither accepts nor refuses" : "share with no known difficulty";
      this.context.refuse("reason" in split ? split.reason : without, session);
      return;
    }
    if (outcome === "accepted" && share.delayMs !== undefined) {
      this.#roundTrips.take("appRttMs", share.delayMs);
      this.#tellBetter(atMs);
    }
    this.context.counters.shares += 1;
    const observation: Share = {
      type: "share",
      atMs: Math.floor(share.atMs),
      pool: this.context.pool,
      algorithm: this.#algorithm,
      ...split,
      session,
      ip: address,
      difficulty: share.difficulty,
      outcome,
    };
    if (this.agent !== undefined) observation.agent = this.agent;
    if (share.announced !== share.difficulty && share.announced > 0) observation.credited = share.announced;
    this.context.emit(observation);
  }

  /** A round trip measured by the kernel, at any time. */
  kernelRoundTrip({ atMs }: Moment, milliseconds: number): void {
    this.#roundTrips.take("rttMs", milliseconds);
    this.#tellBetter(atMs);
  }

  /** The pool itself asks the miner something that it answers at once. */
  questioned({ tickMs }: Moment, id: string): void {
    this.#question = { id, tickMs };
  }

  /** The miner answers; the time since the question is a round trip. False: nobody asked. */
  replied({ atMs, tickMs }: Moment, id: string): boolean {
    if (this.#question?.id !== id) return false;
    this.#roundTrips.take("appRttMs", tickMs - this.#question.tickMs);
    this.#question = null;
    this.#tellBetter(atMs);
    return true;
  }

  #tellBetter(atMs: number): void {
    if (this.#login && !this.#closed && this.#roundTrips.better) this.#tell("authorize", atMs, this.#login);
  }

  #forgetJobs(kept: number): void {
    for (const jobId of this.#jobs.keys()) {
      if (this.#jobs.size <= kept) return;
      this.#jobs.delete(jobId);
    }
  }

  /** The same name comes with every share of a connection: one is remembered. */
  #split(name: unknown): WorkerName | { reason: string } {
    if (name !== this.#lastName) {
      this.#lastSplit = splitWorkerName(name);
      this.#lastName = typeof name === "string" ? name : undefined;
    }
    return this.#lastSplit;
  }

  #tell(event: Session["event"], atMs: number, login?: WorkerName, reason?: string): void {
    const { session, address, port, tls, tlsFingerprint } = this.identity;
    const observation: Session = {
      type: "session",
      atMs: Math.floor(atMs),
      pool: this.context.pool,
      session,
      event,
      ip: address,
      ...login,
    };
    if (port !== undefined) observation.port = port;
    if (this.agent !== undefined) observation.agent = this.agent;
    Object.assign(observation, this.#roundTrips.tell());
    if (tls !== undefined) observation.tls = tls;
    if (tlsFingerprint !== undefined) observation.tlsFingerprint = tlsFingerprint;
    if (reason !== undefined) observation.reason = reason;
    this.context.emit(observation);
  }
}

function isDifficulty(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= MAX_DIFFICULTY;
}
