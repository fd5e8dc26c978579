/** A list that cannot be read: which, and why. */
export class ListError extends Error {
  override name = "ListError";
}
