import type { Rig } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";

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
    const total = this.#site.plan.rigs.length;
    const on = this.#site.on * total + 1e-9;
    let sum = 0;
    for (let index = 0; index < this.#rigs.length; index += 1) {
      const rig = this.#rigs[index] as Rig;
      if (nowMs >= rig.fromMs && nowMs < rig.toMs && this.#first + index + 0.5 <= on) sum += rig.hashrateHs;
    }
    return sum * this.#site.speed;
  }

  /** Draws the worker's name that a message gives: any machine's, or the proxy's own. */
  worker(random: Random): string {
    const { proxy } = this.#site.plan;
    if (!proxy || proxy.passesNames) {
      return (this.#rigs[Math.floor(this.#rigs.length * random.next())] as Rig).worker;
    }
    return proxy.sessionWorker;
  }
}
