import { Component, type ReactNode } from "react";
import { Notice } from "./notice";
import { useWords } from "./words";

/** Shows that the page broke, instead of an empty page. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { page } = useWords();
  return (
    <Notice title={page.broken}>
      <button className="primary" onClick={() => location.reload()}>
        {page.reload}
      </button>
    </Notice>
  );
}
