import { type Language, languages } from "../text";

/** The language of a visitor: the one chosen in the page, or the first of the browser that the page has, or English. */
export function chooseLanguage(chosen: string | undefined, acceptLanguage: string | null): Language {
  return languages.find((language) => language === chosen) ?? preferred(acceptLanguage ?? "") ?? "en";
}

/** Reads `ja,en-US;q=0.8`: higher q first, then in the given order. */
function preferred(acceptLanguage: string): Language | undefined {
  const wishes = acceptLanguage.split(",").map((item) => {
    const [range = "", ...parameters] = item.trim().split(";");
    const q = parameters.find((parameter) => parameter.trim().startsWith("q="));
    return { primary: range.split("-")[0]?.toLowerCase(), q: q ? Number(q.trim().slice(2)) : 1 };
  });
  const sorted = wishes.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q);
  for (const { primary } of sorted) {
    const language = languages.find((language) => language === primary);
    if (language) return language;
  }
  return undefined;
}
