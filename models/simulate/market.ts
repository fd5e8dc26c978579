import type { Observation } from "#core/observation.ts";
import { type Span, WATCHED } from "./calendar.ts";
import type { AccountPlan } from "./plan.ts";
import type { Random } from "./random.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** US dollars a coin at the start, and what a hash earns in US dollars (orders of magnitude of early 2026). */
const COINS: Readonly<Record<string, { usd: number; usdPerHash: number }>> = {
  sha256d: { usd: 90_000, usdPerHash: 45 / (1e15 * 86_400) },
  scrypt: { usd: 85, usdPerHash: 8 / (9.5e9 * 86_400) },
  randomx: { usd: 300, usdPerHash: 0.5 / (20_000 * 86_400) },
  etchash: { usd: 18, usdPerHash: 0.25 / (60e6 * 86_400) },
};

/** Prices move as a random walk, 3 % a day. */
const HOURLY_SIGMA = 0.03 / Math.sqrt(24);

/** Prices and payouts: what pools pay for the work done, on the days and at the sums they pay. */
export class Market {
  readonly #random: Random;
  readonly #price = new Map<string, number>();
  readonly #due = new Map<AccountPlan, { hashes: number; target: number; paidDay: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  credit(account: AccountPlan, hashes: number): void {
    const due = this.#due.get(account);
    if (due) due.hashes += hashes;
    else this.#due.set(account, { hashes, target: this.#target(account), paidDay: -1 });
  }

  /** A new price of a pool's coin, each hour. */
  price(coin: string, algorithm: string, atMs: number): Observation {
    const before = this.#price.get(coin) ?? (COINS[algorithm] as { usd: number }).usd;
    const price = before * Math.exp(HOURLY_SIGMA * this.#random.normal());
    this.#price.set(coin, price);
    return { type: "price", atMs, coin, currency: "USD", price: Math.round(price * 100) / 100 };
  }

  /** Payouts due in the hour that ends at `atMs`. */
  *payouts(atMs: number): Generator<Observation> {
    for (const [account, due] of this.#due) {
      const { pool, payout, name } = account;
      const price = this.#price.get(pool.coin) ?? (COINS[pool.algorithm] as { usd: number }).usd;
      const coins =
        (0.99 * due.hashes * (COINS[pool.algorithm] as { usdPerHash: number }).usdPerHash) / price;
      let amount = 0;
      if (payout.rule === "currency") {
        if (coins * price >= due.target) amount = due.target / price;
      } else if (payout.rule === "threshold") {
        if (coins >= payout.coins) amount = coins;
      } else {
        const day = Math.floor(atMs / DAY_MS);
        if (due.paidDay !== day && coins > 0) {
          // The pool's first hour of the day is not its first hour of sight.
          if (due.paidDay >= 0) amount = coins;
          due.paidDay = day;
        }
      }
      if (amount <= 0) continue;
      due.hashes *= 1 - amount / coins;
      due.target = this.#target(account);
      if (!pool.logs.payouts) continue;
      let address = account.payoutAddress;
      for (const change of account.addressChanges) if (change.atMs <= atMs) address = change.address;
      const paidMs = Math.floor(atMs - this.#random.between(0, 0.2) * HOUR_MS);
      yield {
        type: "payout",
        atMs: paidMs,
        pool: pool.name,
        coin: pool.coin,
        account: name,
        address,
        amount: Math.round(amount * 1e8) / 1e8,
      };
    }
  }

  #target(account: AccountPlan): number {
    return account.payout.rule === "currency"
      ? this.#random.between(account.payout.low, account.payout.high)
      : 0;
  }
}

const PEERS = [3333, 6939, 50628, 7018];

/** What route collectors tell of the watched network: announcements at the start, and every outage by every peer. */
export function drawRoutes(random: Random, startMs: number, outages: readonly Span[]): Observation[] {
  const routes: Observation[] = [];
  const tell = (event: "announce" | "withdraw", aroundMs: number): void => {
    for (const prefix of WATCHED.prefixes) {
      for (const peer of PEERS) {
        const path = [peer, random.pick(WATCHED.upstreams), WATCHED.originAs];
        routes.push({
          type: "route",
          atMs: Math.floor(aroundMs + random.exponential() * 12_000),
          prefix,
          event,
          ...(event === "announce" ? { path, originAs: WATCHED.originAs } : {}),
          peer: `AS${peer}`,
          collector: "rrc00",
        });
      }
    }
  };
  tell("announce", startMs);
  for (const { fromMs, toMs } of outages) {
    tell("withdraw", fromMs);
    tell("announce", toMs);
  }
  return routes.sort((left, right) => left.atMs - right.atMs);
}
