/** A number as a reader wants it: three significant digits, whole above a thousand. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size > 0 && size < 1e-3) return value.toExponential(1);
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
