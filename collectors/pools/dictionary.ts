/** An object for keys that miners choose: one named "__proto__" or "constructor" is a key like any other. */
export function dictionary<T>(entries: Readonly<Record<string, T>> = {}): Record<string, T> {
  return Object.assign(Object.create(null), entries);
}
