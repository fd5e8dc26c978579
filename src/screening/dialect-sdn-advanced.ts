import type { Dialect } from "./dialect.ts";
import { emptyParty, entriesOf, type Party, WALLET_TYPE } from "./party.ts";

/** A documented name before it is known which of its parts is what: that follows after all names of an identity. */
interface Documented {
  parts: { text: string; group: string }[];
  weak: boolean;
  primary: boolean;
}

/** What the file says for a sub-type that is a type of its own, such as a person. */
const NO_SUBTYPE = "Unknown";

/**
 * OFAC's SDN_ADVANCED.XML: values by number first, then parties, and after all of them the programmes of each. Names are
 * put together as SDN.XML has them, the last name last: weak aliases match by their exact spelling.
 */
export function advanced(): Dialect {
  const walletTypes = new Map<string, string>();
  const lastNames = new Set<string>();
  const types = new Map<string, string>();
  const subtypes = new Map<string, { text: string; type: string }>();
  const parties = new Map<string, Party>();
  const issued: Record<string, string> = {};
  let id = "";
  let typeOfSubtype = "";
  let coin: string | undefined;
  let party: Party = emptyParty();
  let names: Documented[] = [];
  let parts: Documented["parts"] = [];
  let group = "";
  const groupTypes = new Map<string, string>();
  let alias = { weak: false, primary: false };
  let profile = "";

  /** Individual, Entity, Vessel, Aircraft: the sub-types precede the types in the file. */
  function typeOf(subtypeId: string): string {
    const subtype = subtypes.get(subtypeId);
    if (!subtype) return "";
    return subtype.text === NO_SUBTYPE ? (types.get(subtype.type) ?? "") : subtype.text;
  }

  /** Names of one identity, its main one first. */
  function nameParty(): void {
    const isLast = (part: { group: string }) => lastNames.has(groupTypes.get(part.group) ?? "");
    const ordered = [...names.filter(({ primary }) => primary), ...names.filter(({ primary }) => !primary)];
    for (const { parts: all, weak } of ordered) {
      const inOrder = [...all.filter((part) => !isLast(part)), ...all.filter(isLast)];
      const text = inOrder.map((part) => part.text).join(" ");
      if (text !== "") party.names.push({ text, weak });
    }
    names = [];
    groupTypes.clear();
  }

  return {
    open(element, attributes) {
      switch (element) {
        case "FeatureType":
        case "NamePartType":
        case "PartyType":
          id = attributes.ID ?? "";
          break;
        case "PartySubType":
          id = attributes.ID ?? "";
          typeOfSubtype = attributes.PartyTypeID ?? "";
          break;
        case "Profile":
          party = { ...emptyParty(), type: typeOf(attributes.PartySubTypeID ?? "") };
          parties.set(attributes.ID ?? "", party);
          break;
        case "Alias":
          alias = { weak: attributes.LowQuality === "true", primary: attributes.Primary === "true" };
          break;
        case "DocumentedName":
          parts = [];
          break;
        case "NamePartValue":
          group = attributes.NamePartGroupID ?? "";
          break;
        case "NamePartGroup":
          groupTypes.set(attributes.ID ?? "", attributes.NamePartTypeID ?? "");
          break;
        case "Feature":
          coin = walletTypes.get(attributes.FeatureTypeID ?? "");
          break;
        case "SanctionsEntry":
          profile = attributes.ProfileID ?? "";
          break;
      }
    },
    close(element, text, parent) {
      if (parent === "DateOfIssue") issued[element] = text;
      switch (element) {
        case "FeatureType": {
          const wallet = WALLET_TYPE.exec(text);
          if (wallet) walletTypes.set(id, wallet[1] ?? "");
          break;
        }
        case "NamePartType":
          if (text === "Last Name") lastNames.add(id);
          break;
        case "PartyType":
          types.set(id, text);
          break;
        case "PartySubType":
          subtypes.set(id, { text, type: typeOfSubtype });
          break;
        case "NamePartValue":
          if (text !== "") parts.push({ text, group });
          break;
        case "DocumentedName":
          names.push({ parts, ...alias });
          break;
        case "Identity":
          nameParty();
          break;
        case "VersionDetail":
          if (coin !== undefined && text !== "") party.addresses.push({ coin, value: text });
          break;
        case "Feature":
          coin = undefined;
          break;
        case "Comment":
          if (parent === "SanctionsMeasure" && text !== "") parties.get(profile)?.programmes.push(text);
          break;
      }
    },
    finish() {
      const { Year, Month, Day } = issued;
      const publishedAt = Year ? `${Year}-${Month?.padStart(2, "0")}-${Day?.padStart(2, "0")}` : "";
      return { entries: [...parties.values()].flatMap(entriesOf), publishedAt };
    },
  };
}
