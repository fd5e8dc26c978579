import { powerPriceRank } from "./calendar.ts";
import { drawAddress, neighbour, pathRttMs, prefixesOf } from "./networks.ts";
import type { PlacePlan, SitePlan } from "./plan.ts";
import type { Random } from "./random.ts";

const HOUR_MS = 3_600_000;

/** An address a site holds for a while, with the round trips measured over it. */
export interface Line {
  ip: string;
  /** Least round trip of the transport, and of the application, ms. */
  rttMs: number;
  appRttMs: number;
  renewAtMs: number;
}

/** A site while it runs: its addresses, its place among several, and how much of it is on. */
export class Site {
  readonly plan: SitePlan;
  readonly #random: Random;
  readonly #poolCountry: string;
  readonly #seed: number;
  readonly #lines: Line[] = [];
  readonly #relayed: boolean[] = [];
  #place = 0;
  #rotateAtMs: number;
  #nextMove = 0;
  #wander = 0;
  /** Part of the machines that are on, and factor on every machine's rate, for the present step. */
  on = 1;
  speed = 1;

  constructor(
    plan: SitePlan,
    random: Random,
    options: { poolCountry: string; seed: number; startMs: number },
  ) {
    this.plan = plan;
    this.#random = random;
    this.#poolCountry = options.poolCountry;
    this.#seed = options.seed;
    this.#rotateAtMs = options.startMs + plan.rotateHours * HOUR_MS * random.exponential();
    const lines = plan.scattered ? plan.rigs.length : plan.addresses;
    for (let index = 0; index < lines; index += 1) {
      this.#relayed.push(random.chance(plan.hiddenPart));
      this.#lines.push(this.#drawLine(index, options.startMs));
    }
  }

  /** Sets what is on for the step that starts now, and moves or renews what is due. Answers whether a line changed. */
  step(nowMs: number, span: { fromMs: number; toMs: number }): boolean {
    const { load, moves, rotateHours } = this.plan;
    this.#wander = 0.9 * this.#wander + 0.436 * load.wander * this.#random.normal();
    let level = 1;
    if (load.hours) {
      const local = (((nowMs / HOUR_MS + load.hours.offset) % 24) + 24) % 24;
      const { from, to, rest } = load.hours;
      const inside = from <= to ? local >= from && local < to : local >= from || local < to;
      if (!inside) level *= rest;
    }
    if (load.dear) {
      const rank = powerPriceRank(this.#seed, load.dear.region, load.dear.region === "IR" ? 3.5 : -6, nowMs);
      if (rank > 1 - load.dear.part) level *= load.dear.rest;
    }
    if (load.growth) {
      const done = (nowMs - span.fromMs) / (span.toMs - span.fromMs);
      level *= load.growth >= 1 ? (1 + (load.growth - 1) * done) / load.growth : 1 + (load.growth - 1) * done;
    }
    this.on = load.slows ? 1 : level;
    this.speed = (load.slows ? Math.max(level, 1e-3) : 1) * Math.exp(this.#wander);
    let changed = false;
    if (this.plan.places.length > 1 && nowMs >= this.#rotateAtMs && Number.isFinite(rotateHours)) {
      this.#place = this.#random.integer(0, this.plan.places.length - 1);
      this.#rotateAtMs = nowMs + rotateHours * HOUR_MS * this.#random.exponential();
      changed = true;
    }
    const move = moves[this.#nextMove];
    if (move && nowMs >= move.atMs) {
      this.#place = move.place;
      this.#nextMove += 1;
      changed = true;
    }
    for (let index = 0; index < this.#lines.length; index += 1) {
      const line = this.#lines[index] as Line;
      if (changed ? !this.plan.scattered : nowMs >= line.renewAtMs) {
        this.#lines[index] = this.#drawLine(index, nowMs);
        changed = true;
      }
    }
    return changed;
  }

  /** The address a machine's connection stands on. */
  line(rig: number): Line {
    return this.#lines[rig % this.#lines.length] as Line;
  }

  get lines(): number {
    return this.#lines.length;
  }

  #drawLine(index: number, nowMs: number): Line {
    const { plan } = this;
    const random = this.#random;
    const relayed = this.#relayed[index] === true || plan.hiddenLegMs === 0;
    const place: PlacePlan = !relayed
      ? { country: plan.trueCountry, access: "residential" }
      : plan.scattered
        ? random.pick(plan.places)
        : (plan.places[this.#place] as PlacePlan);
    const first = this.#lines[0];
    const prefix = place.prefix ?? random.pick(prefixesOf(place.country, place.access));
    const beside = index > 0 && first && !plan.scattered && place.access !== "vpn";
    const ip = beside ? neighbour(random, first.ip) : drawAddress(random, prefix);
    const path = pathRttMs(random, this.#poolCountry, place.country) + 0.4;
    const hidden = relayed ? plan.hiddenLegMs : 0;
    const rttMs = path + (hidden > 0 ? 0.5 : plan.accessMs);
    return {
      ip,
      rttMs,
      appRttMs: rttMs + (hidden > 0 ? hidden * random.between(0.95, 1.1) + plan.accessMs : 0),
      renewAtMs: nowMs + plan.renewHours * HOUR_MS * (plan.renewHours === 24 ? 1 : random.exponential()),
    };
  }
}
