/** Scripts that run inside a page and answer with what is wrong there; texts, because no test here knows the DOM's types. */

/** Controls that a screen reader could not name. */
export const UNNAMED = `[...document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=img], dialog")]
  .filter((each) => {
    const by = each.getAttribute("aria-labelledby");
    const name = each.getAttribute("aria-label") || (by && document.getElementById(by)?.textContent) || each.textContent.trim() ||
      [...(each.labels ?? [])].map((label) => label.textContent.trim()).join("");
    return !name;
  })
  .map((each) => each.outerHTML.slice(0, 120))`;

/**
 * Texts whose contrast is below WCAG 2.2 AA: 4.5, or 3 from 18.66 px bold or 24 px on. Colours are painted onto a canvas
 * pixel by pixel, which understands whatever the browser does; disabled controls are exempt as the guideline has it.
 */
export const FAINT = `(() => {
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((each) => (each / 255 <= 0.04045 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const wrong = [];
  for (const each of document.querySelectorAll("body *")) {
    const text = [...each.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim()).map((node) => node.textContent.trim()).join(" ");
    if (!text || each.closest("svg, :disabled, .hidden, .skip, noscript, script, option") || each.getClientRects().length === 0) continue;
    const style = getComputedStyle(each);
    const grounds = [];
    for (let at = each; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const ground = over(["white", ...grounds]);
    const ink = over(["white", ...grounds, style.color]);
    const [light, dark] = [luminance(ground), luminance(ink)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) wrong.push(ratio.toFixed(2) + " " + each.className + ": " + text.slice(0, 40));
  }
  return [...new Set(wrong)];
})()`;

/** Sums the layout shifts from now on; read with \`__shift\`. */
export const WATCH_SHIFTS = `window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });`;
