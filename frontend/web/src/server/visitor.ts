import { cookies, headers } from "next/headers";
import type { Language } from "../text";
import { chooseLanguage } from "./language";

/** The language of the visitor for whom the page is rendered. */
export async function visitorLanguage(): Promise<Language> {
  return chooseLanguage((await cookies()).get("language")?.value, (await headers()).get("Accept-Language"));
}
