import fc from "fast-check";
import { expect, test } from "vitest";
import { readList } from "../../src/screening/formats.ts";
import { ListError } from "../../src/screening/list-error.ts";
import { readSanctionsXml } from "../../src/screening/sanctions-xml.ts";

// Written by hand after the published schemas (SDN.XML, ADVANCED_XML, EU FSD 1.1); parties and addresses are made up.
const SDN = `<?xml version="1.0" standalone="yes"?>\r
<sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">\r
  <publshInformation><Publish_Date>09/27/2024</Publish_Date><Record_Count>2</Record_Count></publshInformation>\r
  <sdnEntry>
    <uid>1</uid><firstName>Ivan</firstName><lastName>O&#39;EXAMPLE &amp; SONS</lastName><sdnType>Individual</sdnType>
    <programList><program>DPRK3</program><program>CYBER2</program></programList>
    <akaList>
      <aka><uid>2</uid><type>a.k.a.</type><category>weak</category><lastName>EX</lastName></aka>
      <aka><uid>3</uid><type>a.k.a.</type><category>strong</category><firstName>Vanya</firstName><lastName>EXAMPLE</lastName></aka>
    </akaList>
    <idList>
      <id><uid>4</uid><idType>Passport</idType><idNumber>P1</idNumber></id>
      <id><uid>5</uid><idType>Digital Currency Address - XBT</idType><idNumber>1ExampleAddress</idNumber></id>
      <id><uid>6</uid><idType>Digital Currency Address - ETH</idType><idNumber>0xEXAMPLE</idNumber></id>
    </idList>
  </sdnEntry>
  <sdnEntry><uid>7</uid><lastName>NO WALLET LLC</lastName><sdnType>Entity</sdnType></sdnEntry>
</sdnList>`;

const ADVANCED = `<Sanctions xmlns="http://www.un.org/sanctions/1.0" Version="1">
  <DateOfIssue CalendarTypeID="1"><Year>2024</Year><Month>9</Month><Day>7</Day></DateOfIssue>
  <ReferenceValueSets><FeatureTypeValues>
    <FeatureType ID="8" FeatureTypeGroupID="1">Birthdate</FeatureType>
    <FeatureType ID="344" FeatureTypeGroupID="1">Digital Currency Address - XBT</FeatureType>
  </FeatureTypeValues></ReferenceValueSets>
  <DistinctParties><DistinctParty FixedRef="36"><Comment /><Profile ID="36" PartySubTypeID="3">
    <Identity ID="1" Primary="true">
      <Alias Primary="true" LowQuality="false"><DocumentedName ID="1"><DocumentedNamePart><NamePartValue>EXAMPLE</NamePartValue></DocumentedNamePart><DocumentedNamePart><NamePartValue>Ivan</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
      <Alias Primary="false" LowQuality="true"><DocumentedName ID="2"><DocumentedNamePart><NamePartValue>EX</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
    </Identity>
    <Feature ID="1" FeatureTypeID="8"><FeatureVersion ID="1"><VersionDetail DetailTypeID="1">1970</VersionDetail></FeatureVersion></Feature>
    <Feature ID="2" FeatureTypeID="344"><FeatureVersion ID="2"><Comment /><VersionDetail DetailTypeID="1432">1ExampleAddress</VersionDetail></FeatureVersion></Feature>
  </Profile></DistinctParty></DistinctParties>
  <SanctionsEntries><SanctionsEntry ID="1" ProfileID="36" ListID="1550">
    <SanctionsMeasure ID="1" SanctionsTypeID="1"><Comment>DPRK3</Comment></SanctionsMeasure>
  </SanctionsEntry></SanctionsEntries>
</Sanctions>`;

const EU = `<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-01T10:00:00.000+01:00">
  <sanctionEntity logicalId="1"><regulation programme="PRK"/><subjectType code="enterprise"/>
    <nameAlias wholeName="Example Trading" strong="true"/><nameAlias wholeName="ET" strong="false"/></sanctionEntity>
</export>`;

const read = (text: string, chunk = 7) =>
  readSanctionsXml(
    (async function* () {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    })(),
  );

const EXPECTED = {
  publishedAt: "2024-09-27",
  entries: [
    {
      subject: "address",
      value: "1ExampleAddress",
      note: "XBT; Ivan O'EXAMPLE & SONS; Individual; DPRK3 CYBER2",
    },
    { subject: "address", value: "0xEXAMPLE", note: "ETH; Ivan O'EXAMPLE & SONS; Individual; DPRK3 CYBER2" },
    { subject: "name", value: "Ivan O'EXAMPLE & SONS", note: "Individual; DPRK3 CYBER2" },
    { subject: "name", value: "EX", note: "weak alias of Ivan O'EXAMPLE & SONS; Individual; DPRK3 CYBER2" },
    {
      subject: "name",
      value: "Vanya EXAMPLE",
      note: "alias of Ivan O'EXAMPLE & SONS; Individual; DPRK3 CYBER2",
    },
    { subject: "name", value: "NO WALLET LLC", note: "Entity" },
  ],
};

test("reads SDN.XML, wherever the stream is cut into chunks", async () => {
  for (const chunk of [1, 7, 100, 100_000]) expect(await read(SDN, chunk)).toEqual(EXPECTED);
});

test("reads the same list in JSON", () => {
  const json = {
    sdnList: {
      publshInformation: { Publish_Date: "09/27/2024" },
      sdnEntry: [
        {
          firstName: "Ivan",
          lastName: "O'EXAMPLE & SONS",
          sdnType: "Individual",
          programList: { program: ["DPRK3", "CYBER2"] },
          akaList: {
            aka: [
              { category: "weak", lastName: "EX" },
              { category: "strong", firstName: "Vanya", lastName: "EXAMPLE" },
            ],
          },
          idList: {
            id: [
              { idType: "Passport", idNumber: "P1" },
              { idType: "Digital Currency Address - XBT", idNumber: "1ExampleAddress" },
              { idType: "Digital Currency Address - ETH", idNumber: "0xEXAMPLE" },
            ],
          },
        },
        { lastName: "NO WALLET LLC", sdnType: "Entity" },
      ],
    },
  };
  expect(readList("json", JSON.stringify(json))).toEqual(EXPECTED);
});

test("reads SDN_ADVANCED.XML: names, features by number, programmes from the end of the file", async () => {
  expect(await read(ADVANCED)).toEqual({
    publishedAt: "2024-09-07",
    entries: [
      { subject: "address", value: "1ExampleAddress", note: "XBT; EXAMPLE Ivan; DPRK3" },
      { subject: "name", value: "EXAMPLE Ivan", note: "DPRK3" },
      { subject: "name", value: "EX", note: "weak alias of EXAMPLE Ivan; DPRK3" },
    ],
  });
});

test("reads the European Union's list", async () => {
  expect(await read(EU)).toEqual({
    publishedAt: "2026-11-01",
    entries: [
      { subject: "name", value: "Example Trading", note: "enterprise; PRK" },
      { subject: "name", value: "ET", note: "weak alias of Example Trading; enterprise; PRK" },
    ],
  });
});

test("cut short anywhere, no list is read", async () => {
  for (const whole of [SDN, ADVANCED, EU]) {
    for (let length = 0; length < whole.length; length += 1)
      await expect(read(whole.slice(0, length), 1000), `${length}`).rejects.toThrow(ListError);
  }
});

test("a count that does not agree, a document type and a stranger are refused", async () => {
  await expect(read(SDN.replace("<Record_Count>2", "<Record_Count>3"))).rejects.toThrow(
    "says it has 3 entries and has 2",
  );
  await expect(read(`<!DOCTYPE x [<!ENTITY a "b">]>${EU}`)).rejects.toThrow("document type declaration");
  await expect(read("<html><body/></html>")).rejects.toThrow("<html> is the root of no list known here");
  await expect(read("maintenance")).rejects.toThrow(ListError);
});

test("hostile bytes give a list or a ListError", async () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.record({ at: fc.nat(SDN.length - 1), byte: fc.integer({ min: 0, max: 255 }) }).map(({ at, byte }) => {
      const bytes = Buffer.from(SDN);
      bytes[at] = byte;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(hostile, async (bytes) => {
      const chunks = (async function* () {
        yield bytes;
      })();
      const result = await readSanctionsXml(chunks).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(ListError);
      else expect(result).toHaveProperty("entries");
    }),
    { numRuns: 500 },
  );
});
