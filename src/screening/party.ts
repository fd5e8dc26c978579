import type { Entry } from "./watch-list.ts";

/** One sanctioned party as any of the official formats describes it. */
export interface Party {
  /** The main name first. */
  names: { text: string; weak: boolean }[];
  /** Individual, Entity, Vessel, Aircraft; "" when not said. */
  type: string;
  programmes: string[];
  /** Digital-currency addresses with their ticker. */
  addresses: { coin: string; value: string }[];
}

/** A party nothing is known of yet. */
export function emptyParty(): Party {
  return { names: [], type: "", programmes: [], addresses: [] };
}

/** OFAC's name of the identity documents and features that are wallet addresses: "Digital Currency Address - XBT". */
export const WALLET_TYPE = /^Digital Currency Address(?:\s*-\s*(.+))?$/;

/** The entries of a party: its addresses, its names and aliases. */
export function entriesOf({ names, type, programmes, addresses }: Party): Entry[] {
  const main = names[0]?.text ?? "";
  const about = [type, [...new Set(programmes)].join(" ")].filter(Boolean).join("; ");
  return [
    ...addresses.map(
      ({ coin, value }): Entry => ({
        subject: "address",
        value,
        note: [coin, main, about].filter(Boolean).join("; "),
      }),
    ),
    ...names.map(
      ({ text, weak }, index): Entry => ({
        subject: "name",
        value: text,
        note: [index === 0 ? "" : `${weak ? "weak " : ""}alias of ${main}`, about].filter(Boolean).join("; "),
      }),
    ),
  ];
}
