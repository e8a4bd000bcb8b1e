import { SendError } from "@signedsocket/client";
import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useState } from "react";
import { useWords } from "../words";
import { sends, type Size, sizeOf } from "./composing";

interface Props {
  readonly room: string;
  /** The text so far. */
  readonly draft: string;
  readonly write: (text: string) => void;
  /** Throws SendError. */
  readonly send: (text: string, room: string) => void;
  readonly input: RefObject<HTMLTextAreaElement | null>;
}

/** The field for a message, or the reason why there is none. */
export function Composer({ readOnly, ...props }: Props & { readonly readOnly: boolean }) {
  const { chat } = useWords();
  return readOnly ? <p className="composer read-only">{chat.labels.readOnly}</p> : <Field {...props} />;
}

/**
 * The field for a message. It refuses a text that is too long. Every other text is sent as soon as there is a
 * connection.
 */
function Field({ room, draft, write, send, input }: Props) {
  const { chat } = useWords();
  const [problem, setProblem] = useState<string>();
  const size = sizeOf(draft, room);
  const tooLarge = size.problem === "too_large";
  useEffect(() => focusWithoutKeyboard(input.current), [input]);

  const submit = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    input.current?.focus();
    if (size.problem === "empty") return;
    try {
      send(draft, room);
      write("");
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      setProblem(chat.failures[error.code]);
    }
  };
  const keyDown = (event: KeyboardEvent) => {
    const { key, shiftKey, keyCode, nativeEvent } = event;
    if (sends({ key, shiftKey, keyCode, isComposing: nativeEvent.isComposing })) submit(event);
  };
  const change = (value: string) => {
    write(value);
    setProblem(undefined);
  };
  return (
    <form className="composer" onSubmit={submit}>
      <label className="unseen" htmlFor="message">
        {chat.labels.message}
      </label>
      <div className="field">
        {/* The twin behind the field has the same text, and so gives it its height. */}
        <div className="growing" data-text={`${draft} `}>
          <textarea
            id="message"
            ref={input}
            value={draft}
            rows={1}
            enterKeyHint="send"
            placeholder={chat.labels.placeholder}
            aria-describedby="keys size"
            aria-invalid={tooLarge}
            onChange={(event) => change(event.target.value)}
            onKeyDown={keyDown}
          />
        </div>
        <button className="primary" disabled={size.problem === "empty" || tooLarge}>
          {chat.actions.send}
        </button>
      </div>
      <Footnotes size={size} />
      <p role="alert" className="problem">
        {problem ?? (tooLarge && chat.failures.too_large)}
      </p>
    </form>
  );
}

/** Which keys send a text, and its share of the limit. */
function Footnotes({ size }: { readonly size: Size }) {
  const { page, language } = useWords();
  return (
    <div className="footnotes">
      <span id="keys">{page.keys}</span>
      <span id="size" className={size.problem === "too_large" ? "problem" : undefined}>
        {size.noteworthy && page.bytes(size.bytes.toLocaleString(language), size.mostBytes.toLocaleString(language))}
      </span>
    </div>
  );
}

/** Focuses the field, or the list on devices where the field would open a keyboard. Something has to have the focus. */
export function focusBesideKeyboard(field: HTMLTextAreaElement | null): void {
  if (!field || matchMedia("(pointer: coarse)").matches) document.querySelector<HTMLElement>(".log")?.focus();
  else field.focus();
}

/** Focuses the field, except on devices where a keyboard would then cover half the page. */
export function focusWithoutKeyboard(field: HTMLTextAreaElement | null): void {
  if (!matchMedia("(pointer: coarse)").matches) field?.focus();
}
