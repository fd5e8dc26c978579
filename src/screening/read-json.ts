import { z } from "zod";
import type { Subject } from "#core/screening.ts";
import { ListError } from "./list-error.ts";
import { entriesOf, WALLET_TYPE } from "./party.ts";
import type { Parsed } from "./watch-list.ts";

const jsonEntry = z.union([
  z.string().transform((value) => ({ value, note: "", subject: undefined })),
  z
    .looseObject({
      value: z.string().optional(),
      address: z.string().optional(),
      name: z.string().optional(),
      note: z.string().default(""),
      subject: z.enum(["address", "network", "region", "name"]).optional(),
    })
    .transform(({ value, address, name, note, subject }) => ({
      value: value ?? address ?? name ?? "",
      note,
      subject,
    }))
    .refine(({ value }) => value !== "", "has no value, address or name"),
]);
const oneOrMany = <T extends z.ZodType>(item: T) =>
  z.union([item.transform((value) => [value]), z.array(item)]).default([]);
const sdnEntry = z.looseObject({
  firstName: z.string().default(""),
  lastName: z.string().default(""),
  sdnType: z.string().default(""),
  programList: z.looseObject({ program: oneOrMany(z.string()) }).optional(),
  akaList: z
    .looseObject({
      aka: oneOrMany(
        z.looseObject({
          category: z.string().default(""),
          firstName: z.string().default(""),
          lastName: z.string().default(""),
        }),
      ),
    })
    .optional(),
  idList: z
    .looseObject({
      id: oneOrMany(
        z.looseObject({ idType: z.string().default(""), idNumber: z.coerce.string().default("") }),
      ),
    })
    .optional(),
});
/** OFAC's SDN list in JSON: the elements of SDN.XML under their own names. */
const sdnList = z
  .looseObject({
    sdnList: z.looseObject({
      publshInformation: z.looseObject({ Publish_Date: z.string().default("") }).optional(),
      sdnEntry: z.array(sdnEntry),
    }),
  })
  .transform(
    ({ sdnList: { publshInformation, sdnEntry: parties } }): Parsed => ({
      publishedAt: (publshInformation?.Publish_Date ?? "").replace(/^(\d\d)\/(\d\d)\/(\d{4})$/, "$3-$1-$2"),
      entries: parties.flatMap((party) =>
        entriesOf({
          type: party.sdnType,
          programmes: party.programList?.program ?? [],
          names: [{ ...party, category: "" }, ...(party.akaList?.aka ?? [])].flatMap((name) => {
            const text = [name.firstName, name.lastName].filter(Boolean).join(" ");
            return text === "" ? [] : [{ text, weak: name.category === "weak" }];
          }),
          addresses: (party.idList?.id ?? []).flatMap(({ idType, idNumber }) => {
            const wallet = WALLET_TYPE.exec(idType);
            return wallet && idNumber !== "" ? [{ coin: wallet[1] ?? "", value: idNumber }] : [];
          }),
        }),
      ),
    }),
  );

const jsonList = z.union([
  z.array(jsonEntry).transform((entries) => ({ entries, publishedAt: "" })),
  z
    .looseObject({ publishedAt: z.string().default(""), entries: z.array(jsonEntry) })
    .transform(({ entries, publishedAt }) => ({ entries, publishedAt })),
]);

/** An array of texts or of objects with `value`, an object with `entries` and perhaps `publishedAt`, or OFAC's `sdnList`. */
export function readJson(text: string, subject: Subject): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ListError(`is not JSON: ${(error as Error).message}`);
  }
  const official = sdnList.safeParse(value);
  if (official.success) return official.data;
  const parsed = jsonList.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ListError(`${issue?.path.join(".") || "(top)"}: ${issue?.message ?? "not a list"}`);
  }
  const entries = parsed.data.entries.flatMap((entry) =>
    entry.value.trim() === ""
      ? []
      : [{ subject: entry.subject ?? subject, value: entry.value.trim(), note: entry.note }],
  );
  return { entries, publishedAt: parsed.data.publishedAt };
}
