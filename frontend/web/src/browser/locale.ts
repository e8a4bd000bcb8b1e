/**
 * The locale for dates and times: the first locale of the browser in the language of the page. Without one, it is the
 * language of the page with the region of the browser.
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
