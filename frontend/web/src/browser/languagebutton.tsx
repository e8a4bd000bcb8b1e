import { useWords } from "./words";

/** Changes to the other language. Its text is in that language. */
export function LanguageButton() {
  const { language, page, switchLanguage } = useWords();
  return (
    <button className="quiet" lang={language === "ja" ? "en" : "ja"} onClick={switchLanguage}>
      {page.otherLanguage}
    </button>
  );
}
