/** A list as it stood when it was used. */
export interface ListVersion {
  name: string;
  version: string;
}

/** What kind of thing was held against the lists. */
export type Subject = "address" | "network" | "region" | "name";

/** One entry of a list that a value met. */
export interface Match {
  list: ListVersion;
  /** The entry as the list has it. */
  entry: string;
  /** The programme, coin or remark the list gives with it. */
  note: string;
  source: string;
}

/** The answer for one value: what was asked, when, against which lists, and what it met (nothing is an answer too). */
export interface Screening {
  subject: Subject;
  value: string;
  atMs: number;
  lists: readonly ListVersion[];
  matches: readonly Match[];
}

/** Screens one value. Addresses match exactly. */
export type Screen = (subject: Subject, value: string, atMs: number) => Screening;
