import type { ReactNode } from "react";

/** One notice or one action, in the middle of an otherwise empty page. */
export function Notice({ title, children, aside }: { title: string; children?: ReactNode; aside?: ReactNode }) {
  return (
    <main className="notice">
      <section className="card">
        <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M6 4h20a4 4 0 0 1 4 4v11a4 4 0 0 1-4 4H14l-8 6v-6a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4z" />
        </svg>
        <h1>{title}</h1>
        {children}
      </section>
      {aside}
    </main>
  );
}
