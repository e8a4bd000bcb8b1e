import { cookies, headers } from "next/headers";
import type { Language } from "../text";
import { chooseLanguage } from "./language";

/** The language of whoever the page is rendered for. */
export async function visitorLanguage(): Promise<Language> {
  return chooseLanguage((await cookies()).get("language")?.value, (await headers()).get("Accept-Language"));
}
