import type { Rig } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";

/** Draws among the powered machines, of which most are there, before the first that is there is taken. */
const DRAWS = 16;

const isThere = (rig: Rig, nowMs: number): boolean => nowMs >= rig.fromMs && nowMs < rig.toMs;

/** The machines behind one connection: one, or a proxy's many. */
export class Fleet {
  readonly #site: Site;
  readonly #rigs: Rig[];
  readonly #first: number;

  /** `first` is the position of the first machine in the site, which decides when it is switched off. */
  constructor(site: Site, rigs: Rig[], first: number) {
    this.#site = site;
    this.#rigs = rigs;
    this.#first = first;
  }

  /** Whether a machine is one of them. */
  has(rig: Rig): boolean {
    return this.#rigs.includes(rig);
  }

  /** Hashes per second of what is on now. */
  hashrateHs(nowMs: number): number {
    let sum = 0;
    const powered = this.#powered();
    for (let index = 0; index < powered; index += 1) {
      const rig = this.#rigs[index] as Rig;
      if (isThere(rig, nowMs)) sum += rig.hashrateHs;
    }
    return sum * this.#site.speed;
  }

  /** The machines that are on now. */
  running(nowMs: number): Rig[] {
    return this.#rigs.slice(0, this.#powered()).filter((rig) => isThere(rig, nowMs));
  }

  /** Draws the worker's name that a message gives: that of a machine which is on, or the proxy's own. */
  worker(random: Random, nowMs: number): string {
    const { proxy } = this.#site.plan;
    if (proxy && !proxy.passesNames) return proxy.sessionWorker;
    const powered = this.#powered();
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const rig = this.#rigs[Math.floor(powered * random.next())];
      if (rig && isThere(rig, nowMs)) return rig.worker;
    }
    return (this.running(nowMs)[0] ?? (this.#rigs[0] as Rig)).worker;
  }

  /** How many of the machines, from the first, the site's load leaves on. */
  #powered(): number {
    const on = this.#site.on * this.#site.plan.rigs.length + 1e-9;
    return Math.min(this.#rigs.length, Math.max(0, Math.floor(on - this.#first + 0.5)));
  }
}
