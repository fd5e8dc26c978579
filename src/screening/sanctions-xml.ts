import sax from "sax";
import { ListError } from "./list-error.ts";
import { emptyParty, entriesOf, type Party, WALLET_TYPE } from "./party.ts";
import type { Entry, Parsed } from "./watch-list.ts";

/** What a dialect does with an element: at its start, with its attributes, and at its end, with its text. */
interface Dialect {
  open(name: string, attributes: Record<string, string>): void;
  close(name: string, text: string, parent: string): void;
  /** Called once at the end. Throws a ListError when the document contradicts itself. */
  finish(): Parsed;
}

/** By the local name of the root element; prefixes and namespaces have changed and are not looked at. */
const DIALECTS: Record<string, () => Dialect> = { sdnList, Sanctions: advanced, export: european };

/**
 * Reads a sanction list in XML as it streams in: OFAC's SDN.XML and SDN_ADVANCED.XML (and the consolidated lists of
 * the same schemas) and the European Union's consolidated list. Throws a ListError for anything else, for a document
 * cut short or malformed, for a document type declaration (none of them has one), and for a count far above what
 * there is.
 */
export async function readSanctionsXml(chunks: AsyncIterable<string | Buffer>): Promise<Parsed> {
  const parser = sax.parser(true, { position: true });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const path: string[] = [];
  let dialect: Dialect | undefined;
  let text = "";
  parser.onerror = (error) => {
    throw new ListError(`is not well-formed XML: ${error.message.split("\n").slice(0, 2).join(", ")}`);
  };
  parser.ondoctype = () => {
    throw new ListError("has a document type declaration, which no official list has");
  };
  parser.onopentag = ({ name, attributes }) => {
    const local = localName(name);
    if (path.length === 0) {
      dialect = DIALECTS[local]?.();
      if (!dialect) throw new ListError(`<${local.slice(0, 40)}> is the root of no list known here`);
    }
    path.push(local);
    text = "";
    dialect?.open(local, attributes as Record<string, string>);
  };
  parser.ontext = (part) => {
    text += part;
  };
  parser.oncdata = parser.ontext;
  parser.onclosetag = (name) => {
    path.pop();
    dialect?.close(localName(name), text.trim(), path.at(-1) ?? "");
    text = "";
  };
  for await (const chunk of chunks) parser.write(decode(decoder, chunk));
  parser.close();
  if (!dialect) throw new ListError("is empty");
  return dialect.finish();
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function decode(decoder: TextDecoder, chunk: string | Buffer): string {
  if (typeof chunk === "string") return chunk;
  try {
    return decoder.decode(chunk, { stream: true });
  } catch {
    throw new ListError("is not UTF-8");
  }
}

/** OFAC does not say what exactly its count counts, so that a few entries more or less are no reason to refuse a list. */
const COUNT_TOLERANCE = 0.95;

/** OFAC's SDN.XML: everything about an entry lies inside it. */
function sdnList(): Dialect {
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

/** OFAC's SDN_ADVANCED.XML: features by number, parties, and after all of them the programmes of each. */
function advanced(): Dialect {
  const walletTypes = new Map<string, string>();
  const parties = new Map<string, Party>();
  const issued: Record<string, string> = {};
  let featureType = "";
  let coin: string | undefined;
  let party: Party = emptyParty();
  let parts: string[] = [];
  let weak = false;
  let profile = "";
  return {
    open(element, attributes) {
      if (element === "FeatureType") featureType = attributes.ID ?? "";
      else if (element === "Profile") {
        party = emptyParty();
        parties.set(attributes.ID ?? "", party);
      } else if (element === "Alias") weak = attributes.LowQuality === "true";
      else if (element === "DocumentedName") parts = [];
      else if (element === "Feature") coin = walletTypes.get(attributes.FeatureTypeID ?? "");
      else if (element === "SanctionsEntry") profile = attributes.ProfileID ?? "";
    },
    close(element, text, parent) {
      if (parent === "DateOfIssue") issued[element] = text;
      else if (element === "FeatureType") {
        const wallet = WALLET_TYPE.exec(text);
        if (wallet) walletTypes.set(featureType, wallet[1] ?? "");
      } else if (element === "NamePartValue") parts.push(text);
      else if (element === "DocumentedName") {
        const name = parts.filter(Boolean).join(" ");
        if (name !== "") party.names.push({ text: name, weak });
      } else if (element === "VersionDetail" && coin !== undefined && text !== "")
        party.addresses.push({ coin, value: text });
      else if (element === "Feature") coin = undefined;
      else if (element === "Comment" && parent === "SanctionsMeasure" && text !== "")
        parties.get(profile)?.programmes.push(text);
    },
    finish() {
      const { Year, Month, Day } = issued;
      const publishedAt = Year ? `${Year}-${Month?.padStart(2, "0")}-${Day?.padStart(2, "0")}` : "";
      return { entries: [...parties.values()].flatMap(entriesOf), publishedAt };
    },
  };
}

/** The European Union's consolidated list (FSD 1.1): names are attributes. It has no wallet addresses. */
function european(): Dialect {
  const entries: Entry[] = [];
  let publishedAt = "";
  let party: Party = emptyParty();
  return {
    open(element, attributes) {
      if (element === "export") publishedAt = (attributes.generationDate ?? "").slice(0, 10);
      else if (element === "nameAlias" && attributes.wholeName)
        party.names.push({ text: attributes.wholeName, weak: attributes.strong === "false" });
      else if (element === "subjectType") party.type = attributes.code ?? "";
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
