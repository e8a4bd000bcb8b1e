import { rightsOf } from "./rights";

/** Environment variables, `process.env` outside tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value, or a list of what is wrong with its variables: one sentence each, without their values. */
export type Reading<T> =
  | { readonly value: T; readonly problems?: undefined }
  | { readonly value?: undefined; readonly problems: readonly string[] };

/** Reads variables, and collects all faults instead of stopping at the first. */
export class Reader {
  private readonly problems: string[] = [];

  constructor(readonly environment: Environment) {}

  /** The value, if no variable had a fault. */
  end<T>(value: T): Reading<T> {
    return this.problems.length === 0 ? { value } : this.fail();
  }

  fail(): { readonly problems: readonly string[] } {
    return { problems: this.problems };
  }

  text(name: string, minimum = 1): string | undefined {
    const value = this.environment[name] ?? "";
    if (value.length >= minimum) return value;
    return this.refuse(name, minimum === 1 ? "is not set" : `must have at least ${minimum} characters`);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    return (
      values.find((value) => value === this.environment[name]) ??
      this.refuse(name, `must be one of ${values.join(", ")}`)
    );
  }

  /** An address of a secure scheme or, on this machine, of the same scheme without the s. */
  address(name: string, scheme: "https:" | "wss:"): URL | undefined {
    const url = parseAddress(this.environment[name] ?? "");
    const plain = scheme.replace("s:", ":");
    if (url && (url.protocol === scheme || (url.protocol === plain && isLoopback(url)))) return url;
    return this.refuse(name, `must be an address that begins with ${scheme}//`);
  }

  /**
   * The names of the rooms in a variable, in the form that template.yaml takes: `room`, or `room:r` for a room to read.
   * A repeated room counts once, as for `signurl`.
   */
  rooms(name: string): readonly string[] | undefined {
    const texts = (this.environment[name] ?? "").split(",");
    const rooms = rightsOf(texts).map(({ room }) => room);
    const valid = rooms.length <= 8 && texts.every((text) => /^[a-z0-9_-]{1,32}(:r)?$/.test(text));
    const form = "must be 1 to 8 names of a-z, 0-9, _ and -, each with or without :r, separated by commas";
    return valid ? rooms : this.refuse(name, form);
  }

  private refuse(name: string, problem: string): undefined {
    this.problems.push(`${name} ${problem}.`);
  }
}

/** Parses an address. Undefined for any other text. URL.parse is newer than the oldest Node.js that serves the page. */
export function parseAddress(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Whether an address is one of this machine. */
export function isLoopback(url: URL): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}
