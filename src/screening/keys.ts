import { legacyOf } from "./cash-address.ts";

/**
 * How wallet addresses are spelled alike before they are compared. Addresses match exactly; these rules only undo what
 * does not belong to the address:
 *
 * 1. white space and invisible characters around and inside it, as copying from a page leaves them;
 * 2. a payment URI's scheme and query (`bitcoin:…?amount=1`, BIP 21), or the prefix of CashAddr and its kin
 *    (`bitcoincash:q…`, `kaspa:q…`), which may be left out in use, so it is taken off on both sides;
 * 3. letter case, only where the coin ignores it: hexadecimal (`0x…`, where case is a checksum, EIP-55), Bech32
 *    (`bc1…`, `ltc1…`: BIP 173) and CashAddr. Base58 addresses differ by case and are left alone;
 * 4. letters of other alphabets that look like Latin ones, which no coin's addresses have: Israel's seizure orders hold
 *    addresses with Cyrillic letters in them;
 * 5. Bitcoin Cash's two spellings of one hash, CashAddr and the older Base58, of which the older is looked up.
 */
export function addressKey(text: string): string {
  // A million accounts are screened again at once: what an ordinary address does not need is not tried.
  let value = ORDINARY.test(text) ? text : latin(text).normalize("NFKC").replace(INVISIBLE, "");
  const scheme = value.includes(":") ? SCHEME.exec(value) : null;
  if (scheme) value = value.slice(scheme[0].length).split(/[?@]/, 1)[0] as string;
  if (CASHADDR.test(value)) return legacyOf(value.toLowerCase()) ?? value.toLowerCase();
  return isCaseless(value) ? value.toLowerCase() : value;
}

/** Cyrillic and Greek letters, and the Latin ones that look the same (Unicode Technical Standard 39, confusables). */
const FOREIGN = "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲ";
const LATIN = "ABESIJKMHOPCTYXaesijopcyxdqwABEZHIKMNOPTYXoc";
const LOOKALIKE = new RegExp(`[${FOREIGN}]`, "gu");

function latin(text: string): string {
  return text.replace(LOOKALIKE, (letter) => LATIN[FOREIGN.indexOf(letter)] ?? letter);
}

const ORDINARY = /^[!-~]*$/;
/** White space, zero-width characters, byte order mark and soft hyphen. */
const INVISIBLE = /[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+/gu;
/** A scheme is letters and digits before a colon; no coin's address has a colon of its own elsewhere. */
const SCHEME = /^[a-z][a-z0-9+.-]{1,30}:(?:\/\/)?(?=[A-Za-z0-9])/i;
/** Hexadecimal of 40 digits or more, and Bech32 or Bech32m of any coin. */
const CASELESS = /^(?:0x)?[0-9a-f]{40,128}$|^[a-z]{1,15}1[02-9ac-hj-np-z]{20,90}$/i;
/** CashAddr without its prefix, in one case throughout: in both it could be Base58. */
const CASHADDR = /^[qpzr][02-9ac-hj-np-z]{41,111}$|^[QPZR][02-9AC-HJ-NP-Z]{41,111}$/;

function isCaseless(value: string): boolean {
  return CASELESS.test(value) || CASHADDR.test(value);
}

/**
 * True for what looks like an address of some coin. A list's entry that does not is kept all the same, and counted:
 * the XBT list once held a TRON address.
 */
export function looksLikeAddress(text: string): boolean {
  const key = addressKey(text);
  return isCaseless(key) || /^[1-9A-HJ-NP-Za-km-z]{25,110}$/.test(key);
}

/** Folds a name for exact comparison: no marks over letters, no punctuation, one space between words, lower case. */
export function nameKey(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/['’`.]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
