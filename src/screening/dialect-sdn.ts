import type { Dialect } from "./dialect.ts";
import { ListError } from "./list-error.ts";
import { emptyParty, entriesOf, type Party, WALLET_TYPE } from "./party.ts";
import type { Entry } from "./watch-list.ts";

/** OFAC does not say what exactly its count counts, so that a few entries more or less are no reason to refuse a list. */
const COUNT_TOLERANCE = 0.95;

/** OFAC's SDN.XML: everything about an entry lies inside it. */
export function sdnList(): Dialect {
  const entries: Entry[] = [];
  let party: Party = emptyParty();
  let name: { first: string; last: string; weak: boolean } = { first: "", last: "", weak: false };
  let wallet: string | null = null;
  let parties = 0;
  let recordCount = -1;
  let publishedAt = "";
  const addName = () => {
    const text = [name.first, name.last].filter(Boolean).join(" ");
    if (text !== "") party.names.push({ text, weak: name.weak });
    name = { first: "", last: "", weak: false };
  };
  return {
    open(element) {
      // The entry's own name precedes everything nested in it.
      if (element === "programList" || element === "akaList" || element === "idList") addName();
    },
    close(element, text, parent) {
      if (element === "firstName") name.first = text;
      else if (element === "lastName") name.last = text;
      else if (element === "category" && parent === "aka") name.weak = text === "weak";
      else if (element === "aka") addName();
      else if (element === "sdnType") party.type = text;
      else if (element === "program") party.programmes.push(text);
      else if (element === "idType")
        wallet = WALLET_TYPE.exec(text) ? (WALLET_TYPE.exec(text)?.[1] ?? "") : null;
      else if (element === "idNumber" && wallet !== null && text !== "")
        party.addresses.push({ coin: wallet, value: text });
      else if (element === "id") wallet = null;
      else if (element === "Publish_Date") publishedAt = americanDate(text);
      else if (element === "Record_Count") recordCount = Number(text);
      else if (element === "sdnEntry") {
        addName();
        entries.push(...entriesOf(party));
        party = emptyParty();
        parties += 1;
      }
    },
    finish() {
      if (parties < recordCount * COUNT_TOLERANCE)
        throw new ListError(`says it has ${recordCount} entries and has ${parties}`);
      return { entries, publishedAt };
    },
  };
}

/** "09/27/2024" as "2024-09-27". */
function americanDate(text: string): string {
  const [, month, day, year] = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(text) ?? [];
  return year ? `${year}-${month}-${day}` : "";
}
