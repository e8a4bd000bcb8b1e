import { headers } from "next/headers";
import { App } from "../browser/app";
import { Notice } from "../browser/notice";
import type { PageSettings } from "../browser/settings";
import { type Configuration, readConfiguration } from "../server/configuration";
import { rightsOf } from "../server/rights";
import { visitorLanguage } from "../server/visitor";
import { getSession, sessionProblems, signInPath, signOutPath } from "../session";
import { type Language, textIn } from "../text";

/** The largest number of rooms that a user can enter at once. */
const MOST_ROOMS = 8;

/** The page, or the list of missing settings. */
export default async function Page() {
  const language = await visitorLanguage();
  const { value: configuration, problems } = readConfiguration(process.env);
  if (!configuration) return <Setup problems={problems} language={language} />;
  const missing = configuration.mode === "iam" ? sessionProblems(process.env) : [];
  if (missing.length > 0) return <Setup problems={missing} language={language} />;
  return <App settings={await settingsFor(configuration, await headers())} language={language} />;
}

async function settingsFor(configuration: Configuration, headers: Headers): Promise<PageSettings> {
  const { mode, rooms, roomsClaim, provider } = configuration;
  if (mode !== "iam")
    return { mode, rooms, roomsClaim, provider, signUrl: configuration.signUrl.href, server: undefined };
  const session = await getSession({ headers });
  const server = { signedIn: session !== undefined, user: session?.sub, signInPath, signOutPath };
  return {
    mode,
    rooms: session?.rooms ? namesOf(session.rooms).slice(0, MOST_ROOMS) : rooms,
    roomsClaim,
    provider,
    signUrl: "/api/signurl",
    server,
  };
}

function namesOf(rights: readonly string[]): readonly string[] {
  return rightsOf(rights).map(({ room }) => room);
}

function Setup({ problems, language }: { problems: readonly string[]; language: Language }) {
  const { setup, setupLead } = textIn(language);
  return (
    <Notice title={setup}>
      <p>{setupLead}</p>
      <ul lang="en">
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </Notice>
  );
}
