import { type Budget, Domain } from "./domain.ts";

/** Exporters remembered at once. With more the ones longest silent go, first those that never brought a flow. */
const MAX_EXPORTERS = 1024;
/** Observation domains of one exporter; a chassis has one a line card. */
const MAX_DOMAINS = 64;
/** Templates of all exporters together: at most 3 kB each. */
const MAX_TEMPLATES = 8192;

/** What came from one exporter. Every number only grows. */
export interface ExporterCounters {
  datagrams: number;
  bytes: number;
  /** Flow records decoded. A bidirectional one is one record and up to two flows. */
  records: number;
  flows: number;
  /** Records it sent that never came. */
  lost: number;
  /** Datagrams with something malformed in them. */
  malformed: number;
  /** Templates taken in, and those that replaced a different one of the same id. */
  templates: number;
  redefined: number;
  /** Data sets that waited for a template, and those that were given up. */
  heldSets: number;
  droppedSets: number;
  /** Records without a pair of addresses: events, counters, layer 2. */
  withoutAddress: number;
  /** Datagrams whose clock could not be true; their flows were moved to the time of receipt. */
  clockCorrected: number;
}

/** One exporter, known by its address alone: its source port changes when it restarts. */
export class Exporter {
  readonly address: string;
  readonly counters: ExporterCounters = {
    datagrams: 0,
    bytes: 0,
    records: 0,
    flows: 0,
    lost: 0,
    malformed: 0,
    templates: 0,
    redefined: 0,
    heldSets: 0,
    droppedSets: 0,
    withoutAddress: 0,
    clockCorrected: 0,
  };
  seenMs = 0;
  readonly domains = new Map<number, Domain>();
  readonly #budget: Budget;

  constructor(address: string, budget: Budget) {
    this.address = address;
    this.#budget = budget;
  }

  /** Has it ever brought a flow? */
  get proven(): boolean {
    return this.counters.flows > 0;
  }

  get templates(): number {
    let templates = 0;
    for (const domain of this.domains.values()) templates += domain.size;
    return templates;
  }

  /** Forgets all domains and gives back what they took. */
  close(): void {
    for (const domain of this.domains.values()) this.counters.droppedSets += domain.close();
    this.domains.clear();
  }

  domain(version: number, id: number): Domain {
    const key = version * 4_294_967_296 + id;
    let domain = this.domains.get(key);
    if (domain) return domain;
    if (this.domains.size >= MAX_DOMAINS) {
      const [oldestKey, oldest] = this.domains.entries().next().value!;
      this.counters.droppedSets += oldest.close();
      this.domains.delete(oldestKey);
    }
    domain = new Domain(version, id, this.#budget);
    this.domains.set(key, domain);
    return domain;
  }
}

/** The exporters known, within fixed bounds whoever sends. */
export class Exporters {
  /** Exporters forgotten to make room: with an allow-list it stays 0. */
  forgotten = 0;
  readonly #byAddress = new Map<string, Exporter>();
  readonly #budget: Budget = { templates: 0, heldBytes: 0 };
  #last: Exporter | undefined;

  /** The exporter at this address, made room for if it is new. */
  at(address: string, nowMs: number): Exporter {
    // Datagrams come in bursts from one exporter.
    let exporter = this.#last?.address === address ? this.#last : this.#byAddress.get(address);
    if (!exporter) {
      if (this.#byAddress.size >= MAX_EXPORTERS) this.#forgetOne();
      exporter = new Exporter(address, this.#budget);
      this.#byAddress.set(address, exporter);
    }
    while (this.#budget.templates >= MAX_TEMPLATES) this.#shedTemplates();
    exporter.seenMs = nowMs;
    this.#last = exporter;
    return exporter;
  }

  all(): Iterable<Exporter> {
    return this.#byAddress.values();
  }

  #forgetOne(): void {
    let victim: Exporter | undefined;
    for (const candidate of this.#byAddress.values()) {
      if (!victim || lessUseful(candidate, victim)) victim = candidate;
    }
    if (!victim) return;
    victim.close();
    this.#byAddress.delete(victim.address);
    if (this.#last === victim) this.#last = undefined;
    this.forgotten += 1;
  }

  /** The flood pays: of those that never brought a flow the one with most templates, or of all where every one did. */
  #shedTemplates(): void {
    let victim: Exporter | undefined;
    for (const candidate of this.#byAddress.values()) {
      if (candidate.templates === 0) continue;
      const proven = victim ? Number(candidate.proven) - Number(victim.proven) : -1;
      if (!victim || proven < 0 || (proven === 0 && candidate.templates > victim.templates))
        victim = candidate;
    }
    victim?.close();
  }
}

function lessUseful(one: Exporter, other: Exporter): boolean {
  const proven = Number(one.proven) - Number(other.proven);
  return proven === 0 ? one.seenMs < other.seenMs : proven < 0;
}
