import { Notice } from "../browser/notice";
import { visitorLanguage } from "../server/visitor";
import { textIn } from "../text";

export default async function NotFound() {
  const { notFound, backToChat } = textIn(await visitorLanguage());
  return (
    <Notice title={notFound}>
      <p>
        <a href="/">{backToChat}</a>
      </p>
    </Notice>
  );
}
