import type { Dialect } from "./dialect.ts";
import { emptyParty, entriesOf, type Party } from "./party.ts";
import type { Entry } from "./watch-list.ts";

/** The European Union's consolidated list (FSD 1.1): names are attributes. It has no wallet addresses. */
export function european(): Dialect {
  const entries: Entry[] = [];
  let publishedAt = "";
  let party: Party = emptyParty();
  return {
    open(element, attributes) {
      if (element === "export") publishedAt = (attributes.generationDate ?? "").slice(0, 10);
      else if (element === "nameAlias") {
        const { wholeName, firstName, middleName, lastName, strong } = attributes;
        const text = wholeName || [firstName, middleName, lastName].filter(Boolean).join(" ");
        if (text !== "") party.names.push({ text, weak: strong === "false" });
      } else if (element === "subjectType") party.type = attributes.code ?? "";
      else if (element === "regulation" && attributes.programme) party.programmes.push(attributes.programme);
    },
    close(element) {
      if (element !== "sanctionEntity") return;
      entries.push(...entriesOf(party));
      party = emptyParty();
    },
    finish: () => ({ entries, publishedAt }),
  };
}
