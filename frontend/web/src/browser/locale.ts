/**
 * The locale in which dates and times are written: the first of the browser's in the page's language; else the page's
 * language with the customs of the browser's first region.
 */
export function localeOf(language: string, browser: readonly string[]): string {
  const same = browser.find((tag) => tag.split("-")[0]?.toLowerCase() === language);
  if (same !== undefined && isKnown(same)) return same;
  const [first] = browser.filter(isKnown);
  const region = first && new Intl.Locale(first).maximize().region;
  return region ? `${language}-${region}` : language;
}

function isKnown(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
