import { type Dictionary, dictionaryFor } from "@signedsocket/client/messages";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { type Language, type PageText, textIn } from "../text";
import { localeOf } from "./locale";

/** The texts of the page in the chosen language. */
export interface Words {
  readonly language: Language;
  readonly page: PageText;
  /** The texts of the client: states, reasons, failures. */
  readonly chat: Dictionary;
  /** The language with the region of the browser, for dates and times. */
  readonly locale: string;
  /** Formats of times, made once: a long list has many. */
  readonly formats: Readonly<Record<"time" | "short" | "full", Intl.DateTimeFormat>>;
  /** Changes to the other language, here and for the next visits. */
  readonly switchLanguage: () => void;
}

const Context = createContext<Words | undefined>(undefined);

/** Holds the language of the page. `initial` is the choice of the server. */
export function WordsProvider({ initial, children }: { initial: Language; children: ReactNode }) {
  const [language, setLanguage] = useState(initial);
  const words = useMemo<Words>(() => {
    const switchLanguage = () => {
      const other = language === "ja" ? "en" : "ja";
      document.cookie = `language=${other}; Path=/; Max-Age=31536000; SameSite=Lax`;
      document.documentElement.lang = other;
      setLanguage(other);
    };
    const locale = localeOf(language, globalThis.navigator?.languages ?? []);
    const formats = {
      time: new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }),
      short: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }),
      full: new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" }),
    };
    return { language, locale, page: textIn(language), chat: dictionaryFor([language]), formats, switchLanguage };
  }, [language]);
  return <Context value={words}>{children}</Context>;
}

export function useWords(): Words {
  const words = useContext(Context);
  if (!words) throw new Error("useWords needs a WordsProvider");
  return words;
}
