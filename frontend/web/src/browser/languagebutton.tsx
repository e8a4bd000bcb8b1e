import { useWords } from "./words";

/** Changes to the other language. It is written in that language, for those who look for it. */
export function LanguageButton() {
  const { language, page, switchLanguage } = useWords();
  return (
    <button className="quiet" lang={language === "ja" ? "en" : "ja"} onClick={switchLanguage}>
      {page.otherLanguage}
    </button>
  );
}
