import sax from "sax";
import type { Dialect } from "./dialect.ts";
import { european } from "./dialect-eu.ts";
import { sdnList } from "./dialect-sdn.ts";
import { advanced } from "./dialect-sdn-advanced.ts";
import { enhanced } from "./dialect-sdn-enhanced.ts";
import { ListError } from "./list-error.ts";
import type { Parsed } from "./watch-list.ts";

/** By the local name of the root element; prefixes and namespaces have changed and are not looked at. */
const DIALECTS: Record<string, () => Dialect> = {
  sdnList,
  Sanctions: advanced,
  sanctionsData: enhanced,
  export: european,
};

/**
 * Reads a sanction list in XML as it streams in: OFAC's SDN.XML, SDN_ADVANCED.XML and SDN_ENHANCED.XML (and the
 * consolidated lists of the same schemas) and the European Union's consolidated list. Throws a ListError for anything else, for a document
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
