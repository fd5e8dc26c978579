import { expect, test } from "vitest";
import { readList } from "../../src/screening/formats.ts";
import { addressKey } from "../../src/screening/keys.ts";
import { readSanctionsXml } from "../../src/screening/sanctions-xml.ts";

// The structure of the files as they are published in 2026, elements and attributes and all; written by hand, with
// parties and addresses that are made up.
const SDN = `<?xml version="1.0" standalone="yes"?>
<sdnList xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
  <publshInformation><Publish_Date>09/18/2026</Publish_Date><Record_Count>2</Record_Count></publshInformation>
  <sdnEntry>
    <uid>100</uid><firstName>Ivan Petrovich</firstName><lastName>EXAMPLOV</lastName><title>Director</title><sdnType>Individual</sdnType>
    <remarks>(Linked To: ACME MINING LLC)</remarks>
    <programList><program>DPRK3</program><program>CYBER2</program></programList>
    <idList>
      <id><uid>101</uid><idType>Gender</idType><idNumber>Male</idNumber></id>
      <id><uid>102</uid><idType>Digital Currency Address - XBT</idType><idNumber>
        1ExampleAddressOne
      </idNumber></id>
      <id><uid>103</uid><idType>Digital Currency Address - USDT</idType><idNumber>TExampleAddressTwo</idNumber></id>
      <id><uid>104</uid><idType>Passport</idType><idNumber>N1</idNumber><idCountry>Russia</idCountry></id>
    </idList>
    <akaList>
      <aka><uid>105</uid><type>a.k.a.</type><category>weak</category><lastName>BOSS</lastName><firstName>Big</firstName></aka>
      <aka><uid>106</uid><type>f.k.a.</type><category>strong</category><lastName>PRIMEROV</lastName><firstName>Ivan</firstName></aka>
    </akaList>
    <addressList><address><uid>107</uid><city>Nakhodka</city><country>Russia</country></address></addressList>
    <dateOfBirthList><dateOfBirthItem><uid>108</uid><dateOfBirth>1970</dateOfBirth><mainEntry>true</mainEntry></dateOfBirthItem></dateOfBirthList>
  </sdnEntry>
  <sdnEntry><uid>200</uid><lastName>ACME MINING LLC</lastName><sdnType>Entity</sdnType><programList><program>CYBER2</program></programList></sdnEntry>
</sdnList>`;

const part = (value: string, group: number) =>
  `<DocumentedNamePart><NamePartValue NamePartGroupID="${group}" ScriptID="215" ScriptStatusID="1" Acronym="false">${value}</NamePartValue></DocumentedNamePart>`;
const alias = (id: number, flags: string, parts: string) =>
  `<Alias FixedRef="100" AliasTypeID="1400" ${flags}><DocumentedName ID="${id}" FixedRef="100" DocNameStatusID="1">${parts}</DocumentedName></Alias>`;
const feature = (id: number, type: number, detail: string) =>
  `<Feature ID="${id}" FeatureTypeID="${type}"><FeatureVersion ID="${id}" ReliabilityID="1560"><Comment />${detail}</FeatureVersion><IdentityReference IdentityID="1" IdentityFeatureLinkTypeID="1" /></Feature>`;
const ADVANCED = `<?xml version="1.0" encoding="utf-8"?>
<Sanctions xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML" Version="3">
  <DateOfIssue CalendarTypeID="1"><Year>2026</Year><Month>9</Month><Day>18</Day></DateOfIssue>
  <ReferenceValueSets>
    <AliasTypeValues><AliasType ID="1400">A.K.A.</AliasType><AliasType ID="1403">Name</AliasType></AliasTypeValues>
    <DetailTypeValues><DetailType ID="1431">LOOKUP</DetailType><DetailType ID="1432">TEXT</DetailType></DetailTypeValues>
    <FeatureTypeValues>
      <FeatureType ID="224" FeatureTypeGroupID="1">Gender</FeatureType>
      <FeatureType ID="344" FeatureTypeGroupID="1">Digital Currency Address - XBT</FeatureType>
      <FeatureType ID="887" FeatureTypeGroupID="1">Digital Currency Address - USDT</FeatureType>
    </FeatureTypeValues>
    <NamePartTypeValues><NamePartType ID="1520">Last Name</NamePartType><NamePartType ID="1521">First Name</NamePartType><NamePartType ID="1522">Middle Name</NamePartType><NamePartType ID="1525">Entity Name</NamePartType></NamePartTypeValues>
    <PartySubTypeValues><PartySubType ID="1" PartyTypeID="4">Vessel</PartySubType><PartySubType ID="3" PartyTypeID="2">Unknown</PartySubType><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
    <PartyTypeValues><PartyType ID="1">Individual</PartyType><PartyType ID="2">Entity</PartyType></PartyTypeValues>
  </ReferenceValueSets>
  <DistinctParties>
    <DistinctParty FixedRef="100"><Comment /><Profile ID="100" PartySubTypeID="4">
      <Identity ID="1" FixedRef="100" Primary="true" False="false">
        ${alias(2, 'Primary="false" LowQuality="true"', part("BOSS", 11) + part("Big", 12))}
        ${alias(1, 'Primary="true" LowQuality="false"', part("EXAMPLOV", 11) + part("Ivan", 12) + part("Petrovich", 13))}
        ${alias(3, 'Primary="false" LowQuality="false"', part("PRIMEROV", 11) + part("Ivan", 12))}
        <NamePartGroups>
          <MasterNamePartGroup><NamePartGroup ID="11" NamePartTypeID="1520" /></MasterNamePartGroup>
          <MasterNamePartGroup><NamePartGroup ID="12" NamePartTypeID="1521" /></MasterNamePartGroup>
          <MasterNamePartGroup><NamePartGroup ID="13" NamePartTypeID="1522" /></MasterNamePartGroup>
        </NamePartGroups>
      </Identity>
      ${feature(1, 224, '<VersionDetail DetailTypeID="1431" DetailReferenceID="91526" />')}
      ${feature(2, 344, '<VersionDetail DetailTypeID="1432">1ExampleAddressOne</VersionDetail>')}
      ${feature(3, 887, '<VersionDetail DetailTypeID="1432">TExampleAddressTwo</VersionDetail>')}
    </Profile></DistinctParty>
    <DistinctParty FixedRef="200"><Comment /><Profile ID="200" PartySubTypeID="3">
      <Identity ID="2" FixedRef="200" Primary="true" False="false">
        ${alias(4, 'Primary="true" LowQuality="false"', part("ACME MINING LLC", 21))}
        <NamePartGroups><MasterNamePartGroup><NamePartGroup ID="21" NamePartTypeID="1525" /></MasterNamePartGroup></NamePartGroups>
      </Identity>
    </Profile></DistinctParty>
  </DistinctParties>
  <SanctionsEntries>
    <SanctionsEntry ID="100" ProfileID="100" ListID="1550">
      <EntryEvent ID="1" EntryEventTypeID="1" LegalBasisID="1"><Comment /><Date CalendarTypeID="1"><Year>2018</Year><Month>9</Month><Day>6</Day></Date></EntryEvent>
      <SanctionsMeasure ID="1" SanctionsTypeID="1"><Comment>DPRK3</Comment></SanctionsMeasure>
      <SanctionsMeasure ID="2" SanctionsTypeID="1"><Comment>CYBER2</Comment></SanctionsMeasure>
      <SanctionsMeasure ID="3" SanctionsTypeID="1705"><Comment /></SanctionsMeasure>
    </SanctionsEntry>
    <SanctionsEntry ID="200" ProfileID="200" ListID="1550"><SanctionsMeasure ID="4" SanctionsTypeID="1"><Comment>CYBER2</Comment></SanctionsMeasure></SanctionsEntry>
  </SanctionsEntries>
</Sanctions>`;

const name = (primary: boolean, quality: string, last: string, first: string) =>
  `<name id="1"><isPrimary>${primary}</isPrimary>${primary ? "" : '<aliasType refId="1400">A.K.A.</aliasType>'}${quality}<translations><translation id="1"><isPrimary>true</isPrimary><script refId="20122">Latin</script><formattedFirstName>${first}</formattedFirstName><formattedLastName>${last}</formattedLastName><formattedFullName>${[last, first].filter(Boolean).join(", ")}</formattedFullName></translation></translations></name>`;
const ENHANCED = `<?xml version="1.0" encoding="utf-8"?>
<sanctionsData xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ENHANCED_XML">
  <publicationInfo><dataAsOf>2026-09-18T00:00:00-04:00</dataAsOf><filters><sanctionsLists><sanctionsList refId="1550">SDN List</sanctionsList></sanctionsLists></filters></publicationInfo>
  <featureTypes><featureType id="344"><type>Digital Currency Address - XBT</type></featureType></featureTypes>
  <entities>
    <entity id="100">
      <generalInfo><identityId>1</identityId><entityType refId="600">Individual</entityType></generalInfo>
      <sanctionsLists><sanctionsList refId="1550" id="1" datePublished="2018-09-06">SDN List</sanctionsList></sanctionsLists>
      <sanctionsPrograms><sanctionsProgram refId="1" id="1">DPRK3</sanctionsProgram><sanctionsProgram refId="2" id="2">CYBER2</sanctionsProgram></sanctionsPrograms>
      <names>
        ${name(false, "<isLowQuality>true</isLowQuality>", "BOSS", "Big")}
        ${name(true, "<isLowQuality>false</isLowQuality>", "EXAMPLOV", "Ivan Petrovich")}
        ${name(false, "", "PRIMEROV", "Ivan")}
      </names>
      <features>
        <feature id="1"><type featureTypeId="8">Birthdate</type><value>1970</value></feature>
        <feature id="2"><type featureTypeId="344">Digital Currency Address - XBT</type><versionId>1</versionId><value>1ExampleAddressOne</value><isPrimary>false</isPrimary></feature>
        <feature id="3"><type featureTypeId="887">Digital Currency Address - USDT</type><value>TExampleAddressTwo</value></feature>
      </features>
    </entity>
    <entity id="200">
      <generalInfo><identityId>2</identityId><entityType refId="601">Entity</entityType></generalInfo>
      <sanctionsPrograms><sanctionsProgram refId="2" id="3">CYBER2</sanctionsProgram></sanctionsPrograms>
      <names>${name(true, "", "ACME MINING LLC", "")}</names>
    </entity>
  </entities>
</sanctionsData>`;

const EU = `<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-09-18T16:31:06.453+02:00" globalFileId="133443">
  <sanctionEntity designationDetails="" unitedNationId="" euReferenceNumber="EU.1.1" logicalId="13">
    <remark>Made up.</remark>
    <regulation regulationType="amendment" organisationType="council" publicationDate="2024-01-01" entryIntoForceDate="2024-01-01" numberTitle="2024/1 (OJ L1)" programme="PRK" logicalId="1"><publicationUrl>https://example.org</publicationUrl></regulation>
    <subjectType code="person" classificationCode="P"/>
    <nameAlias firstName="Ivan" middleName="" lastName="Examplov" wholeName="Ivan Examplov" function="Director" gender="M" title="" nameLanguage="" strong="true" regulationLanguage="en" logicalId="17"><regulationSummary regulationType="amendment" publicationDate="2024-01-01" numberTitle="2024/1 (OJ L1)" publicationUrl="https://example.org"/></nameAlias>
    <nameAlias firstName="Vanya" middleName="P." lastName="Examplov" wholeName="" function="" gender="" title="" nameLanguage="" strong="false" regulationLanguage="en" logicalId="18"/>
    <citizenship region="" countryIso2Code="RU" countryDescription="RUSSIAN FEDERATION" regulationLanguage="en" logicalId="19"/>
    <identification diplomatic="false" identificationTypeCode="passport" number="N1" countryIso2Code="RU" logicalId="20"/>
  </sanctionEntity>
</export>`;

const read = (text: string) =>
  readSanctionsXml(
    (async function* () {
      yield text;
    })(),
  );

test("OFAC's three files of one day say the same", async () => {
  const about = "Ivan Petrovich EXAMPLOV; Individual; DPRK3 CYBER2";
  const expected = {
    publishedAt: "2026-09-18",
    entries: [
      { subject: "address", value: "1ExampleAddressOne", note: `XBT; ${about}` },
      { subject: "address", value: "TExampleAddressTwo", note: `USDT; ${about}` },
      { subject: "name", value: "Ivan Petrovich EXAMPLOV", note: "Individual; DPRK3 CYBER2" },
      { subject: "name", value: "Big BOSS", note: `weak alias of ${about}` },
      { subject: "name", value: "Ivan PRIMEROV", note: `alias of ${about}` },
      { subject: "name", value: "ACME MINING LLC", note: "Entity; CYBER2" },
    ],
  };
  expect(await read(SDN)).toEqual(expected);
  expect(await read(ADVANCED)).toEqual(expected);
  expect(await read(ENHANCED)).toEqual(expected);
});

test("OFAC's delta file, which has the root of a list, is refused", async () => {
  const delta = ENHANCED.replace("exports/ENHANCED_XML", "DeltaFile/1.0").replace(
    '<entity id="100">',
    '<entity id="100" action="add">',
  );
  await expect(read(delta)).rejects.toThrow("holds changes to a list, not the list");
});

test("the European Union's names may come in parts", async () => {
  expect((await read(EU)).entries).toEqual([
    { subject: "name", value: "Ivan Examplov", note: "person; PRK" },
    { subject: "name", value: "Vanya P. Examplov", note: "weak alias of Ivan Examplov; person; PRK" },
  ]);
});

test("Israel's table of seizure orders: an order's number stands once, wallets beside accounts and names", () => {
  const table = `Order ID,Full name,ID No,Passport No,D.O.B (DD/MM/YYYY),Virtual currency address / User ID,Currency
ASO 13/26
,,,,,TExampleAddressOne,USDT
,IVAN EXAMPLOV,100,,01/02/1970,735202123,
,-,,AH1,31034,717542567,
ASO - 2/24,,,,,TН96ExampleAddrсss,`;
  const { entries } = readList("csv", table);
  expect(entries).toEqual([
    { subject: "address", value: "TExampleAddressOne", note: "ASO 13/26; USDT" },
    { subject: "address", value: "735202123", note: "ASO 13/26; IVAN EXAMPLOV" },
    { subject: "name", value: "IVAN EXAMPLOV", note: "ASO 13/26; 735202123" },
    { subject: "address", value: "717542567", note: "ASO 13/26; -" },
    { subject: "address", value: "TН96ExampleAddrсss", note: "ASO - 2/24" },
  ]);
  // Two Cyrillic letters, as one of the published addresses has them.
  expect(addressKey("TН96ExampleAddrсss")).toBe("TH96ExampleAddrcss");
  const columns =
    "order_id,name,wallet_address,account_id,platform,currency\nASO 1/26,,TExample,,,\nASO 1/26,,,123,Exchange,";
  expect(readList("csv", columns).entries).toEqual([
    { subject: "address", value: "TExample", note: "ASO 1/26" },
    { subject: "address", value: "123", note: "ASO 1/26; Exchange" },
  ]);
});
