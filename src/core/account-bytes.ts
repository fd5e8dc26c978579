import type { AccountState } from "#core/account-state.ts";
import { ACCOUNT_BYTES, bytesOf, type Cells } from "#core/cells.ts";
import type { LookUpOrigin } from "#core/origin.ts";

interface Texts {
  pool: string;
  account: string;
  payoutAddress: string;
  /** Absent where there are none, which is the rule. */
  formerPayouts?: readonly string[];
  sources: [ip: string, agent: string, shares: number, work: number, firstMs: number, lastMs: number][];
}

/** The state as bytes, for a checkpoint: length of the texts (32 bits, little-endian), the texts as JSON, the numbers. */
export function writeAccount(state: AccountState): Uint8Array {
  const texts: Texts = {
    pool: state.pool,
    account: state.account,
    payoutAddress: state.payoutAddress,
    ...(state.formerPayouts.length > 0 ? { formerPayouts: state.formerPayouts } : {}),
    sources: state.sources.map(({ origin, agent, shares, work, firstMs, lastMs }) => [
      origin.ip,
      agent,
      shares,
      work,
      firstMs,
      lastMs,
    ]),
  };
  const head = new TextEncoder().encode(JSON.stringify(texts));
  const numbers = bytesOf(state.place);
  const bytes = new Uint8Array(4 + head.length + numbers.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  bytes.set(numbers, 4 + head.length);
  return bytes;
}

/** Reads `writeAccount`'s bytes. Undefined where they have another layout (written by another version). */
export function readAccount(
  bytes: Uint8Array,
  cells: Cells,
  lookUpOrigin: LookUpOrigin,
): AccountState | undefined {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length !== 4 + length + ACCOUNT_BYTES) return undefined;
  const place = cells.take();
  const numbers = bytesOf(place);
  const texts = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Texts;
  numbers.set(bytes.subarray(4 + length));
  const sources = texts.sources.map(([ip, agent, shares, work, firstMs, lastMs]) => ({
    origin: lookUpOrigin(ip, lastMs),
    agent,
    shares,
    work,
    firstMs,
    lastMs,
    bucket: undefined,
    accountBucket: undefined,
    network: undefined,
  }));
  const { pool, account, payoutAddress, formerPayouts = [] } = texts;
  return {
    pool,
    account,
    place,
    sources,
    latest: undefined,
    payoutAddress,
    formerPayouts,
    dirty: false,
    watched: false,
    closeLook: undefined,
    bucket: undefined,
  };
}
