import type { Dialect } from "./dialect.ts";
import { ListError } from "./list-error.ts";
import { emptyParty, entriesOf, type Party, WALLET_TYPE } from "./party.ts";
import type { Entry } from "./watch-list.ts";

/** OFAC's SDN_ENHANCED.XML: everything about an entity lies inside it, names in every script they are known in. */
export function enhanced(): Dialect {
  const entries: Entry[] = [];
  let party: Party = emptyParty();
  let name = { primary: false, weak: false };
  let spelling = { full: "", first: "", last: "" };
  let feature = "";
  let publishedAt = "";
  let primaries: Party["names"] = [];
  let others: Party["names"] = [];
  return {
    open(element, attributes) {
      if (element === "entity") {
        // The same root holds OFAC's delta files, which are no list: what they leave out still stands.
        if (attributes.action !== undefined) throw new ListError("holds changes to a list, not the list");
        party = emptyParty();
        primaries = [];
        others = [];
      } else if (element === "name") name = { primary: false, weak: false };
      else if (element === "translation") spelling = { full: "", first: "", last: "" };
      else if (element === "feature") feature = "";
    },
    close(element, text, parent) {
      if (element === "dataAsOf" || element === "datePublished") publishedAt ||= text.slice(0, 10);
      else if (element === "entityType") party.type = text;
      else if (element === "sanctionsProgram") party.programmes.push(text);
      else if (element === "isPrimary" && parent === "name") name.primary = text === "true";
      else if (element === "isLowQuality" && parent === "name") name.weak = text === "true";
      else if (element === "formattedFullName") spelling.full = text;
      else if (element === "formattedFirstName") spelling.first = text;
      else if (element === "formattedLastName") spelling.last = text;
      else if (element === "translation") {
        const written = [spelling.first, spelling.last].filter(Boolean).join(" ") || spelling.full;
        if (written !== "") (name.primary ? primaries : others).push({ text: written, weak: name.weak });
      } else if (element === "type" && parent === "feature") feature = text;
      else if (element === "value" && parent === "feature") {
        const wallet = WALLET_TYPE.exec(feature);
        if (wallet && text !== "") party.addresses.push({ coin: wallet[1] ?? "", value: text });
      } else if (element === "entity") {
        party.names = [...primaries, ...others];
        entries.push(...entriesOf(party));
      }
    },
    finish: () => ({ entries, publishedAt }),
  };
}
