import type { Leaving } from "./account/useleaving";
import { LanguageButton } from "./languagebutton";
import { Notice } from "./notice";
import { Trouble } from "./trouble";
import { useWords } from "./words";

/** Asks to sign in. */
export function Welcome({ leaving, problem, signIn }: Leaving) {
  const { page, chat } = useWords();
  return (
    <Notice title={page.welcome} aside={<LanguageButton />}>
      <p>{page.welcomeLead}</p>
      <Trouble problem={leaving ? undefined : problem} />
      <button className="primary" onClick={signIn} disabled={leaving}>
        {leaving ? page.loading : chat.actions.signIn}
      </button>
    </Notice>
  );
}
