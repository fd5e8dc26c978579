import { readAccount, writeAccount } from "#core/account-bytes.ts";
import { type AccountState, createAccount } from "#core/account-state.ts";
import { Cells } from "#core/cells.ts";
import type { LookUpOrigin } from "#core/origin.ts";

/** All accounts by pool and name, and which of them changed since the last checkpoint. */
export class Accounts {
  readonly #cells = new Cells();
  readonly #pools = new Map<string, Map<string, AccountState>>();
  readonly #maxAccounts: number;
  /** The accounts of the pool asked for last. */
  #lastPool = "";
  #last: Map<string, AccountState> | undefined;
  #forgotten: string[] = [];
  #size = 0;
  /** Shares of accounts beyond the bound. */
  leftOut = 0;

  constructor(maxAccounts: number) {
    this.#maxAccounts = maxAccounts;
  }

  get size(): number {
    return this.#size;
  }

  of(pool: string, account: string): AccountState | undefined {
    if (pool !== this.#lastPool || !this.#last) {
      this.#last = this.#pools.get(pool);
      this.#lastPool = pool;
    }
    return this.#last?.get(account);
  }

  /** The accounts of one pool. */
  in(pool: string): Iterable<AccountState> {
    return this.#pools.get(pool)?.values() ?? [];
  }

  /** Each pool with its accounts. */
  pools(): Iterable<[pool: string, accounts: ReadonlyMap<string, AccountState>]> {
    return this.#pools;
  }

  /** A new account, or undefined (counted) where the bound is reached. */
  create(pool: string, account: string, atMs: number, actionsFromMs: number): AccountState | undefined {
    if (this.#size >= this.#maxAccounts) {
      this.leftOut += 1;
      return undefined;
    }
    const state = createAccount(pool, account, this.#cells, atMs, actionsFromMs);
    this.#add(state);
    return state;
  }

  /** Drops an account, here and at the next checkpoint. */
  forget(state: AccountState): void {
    this.#pools.get(state.pool)?.delete(state.account);
    this.#size -= 1;
    this.#forgotten.push(keyOf(state));
    this.#cells.give(state.place);
  }

  /** Accounts changed since the last call, as bytes by key; a forgotten account has no bytes. */
  takeDirty(): Map<string, Uint8Array> {
    const dirty = new Map<string, Uint8Array>();
    for (const key of this.#forgotten) dirty.set(key, new Uint8Array(0));
    this.#forgotten = [];
    for (const accounts of this.#pools.values()) {
      for (const state of accounts.values()) {
        if (!state.dirty) continue;
        state.dirty = false;
        dirty.set(keyOf(state), writeAccount(state));
      }
    }
    return dirty;
  }

  /** Puts back one account; undefined where another version wrote it in another layout. */
  restore(bytes: Uint8Array, lookUpOrigin: LookUpOrigin): AccountState | undefined {
    const state = readAccount(bytes, this.#cells, lookUpOrigin);
    if (state) this.#add(state);
    return state;
  }

  #add(state: AccountState): void {
    let accounts = this.#pools.get(state.pool);
    if (!accounts) {
      accounts = new Map();
      this.#pools.set(state.pool, accounts);
    }
    accounts.set(state.account, state);
    this.#size += 1;
  }
}

/** Names have no control characters, so a newline keeps pool and account apart. */
function keyOf({ pool, account }: AccountState): string {
  return `${pool}\n${account}`;
}
