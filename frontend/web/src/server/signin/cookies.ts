import { jwtVerify, SignJWT } from "jose";

/** A signed cookie that scripts cannot read. */
export interface SealedCookie {
  readonly name: string;
  /** Seconds. */
  readonly maxAge: number;
}

/** Seals and opens the cookies of one site. Their content is signed, but not secret from their owner. */
export class CookieJar {
  private readonly key: Uint8Array;
  private readonly secure: boolean;

  /** `secret` signs the cookies. Every process that serves the site needs the same one. */
  constructor(
    private readonly origin: string,
    secret: string,
  ) {
    this.key = new TextEncoder().encode(secret);
    this.secure = origin.startsWith("https:");
  }

  /** The Set-Cookie header that stores `content`. */
  async seal(cookie: SealedCookie, content: object): Promise<string> {
    const token = await new SignJWT({ content })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(this.origin)
      .setAudience(cookie.name)
      .setExpirationTime(`${cookie.maxAge} s`)
      .sign(this.key);
    return this.header(cookie, token, cookie.maxAge);
  }

  /** The Set-Cookie header that removes a cookie. */
  clear(cookie: SealedCookie): string {
    return this.header(cookie, "", 0);
  }

  /** The sealed content of a cookie of a request. Undefined without a valid cookie of this site. */
  async open<T extends object>(cookie: SealedCookie, headers: Headers): Promise<T | undefined> {
    const token = readCookie(headers, this.fullName(cookie));
    if (!token) return undefined;
    const options = { issuer: this.origin, audience: cookie.name, algorithms: ["HS256"], requiredClaims: ["exp"] };
    return jwtVerify<{ content: T }>(token, this.key, options).then(
      ({ payload }) => payload.content,
      () => undefined,
    );
  }

  /** The names of the cookies of a request that may belong to this site, in the order of their creation. */
  names(headers: Headers): readonly string[] {
    const prefix = this.fullName({ name: "", maxAge: 0 });
    const names = pairsOf(headers).map((pair) => pair.slice(0, pair.indexOf("=")));
    return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  private header(cookie: SealedCookie, value: string, maxAge: number): string {
    const secure = this.secure ? "; Secure" : "";
    return `${this.fullName(cookie)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
  }

  /** Browsers accept a name with this prefix only from the host itself, and only over https. */
  private fullName({ name }: SealedCookie): string {
    return this.secure ? `__Host-${name}` : name;
  }
}

/** The value of a cookie of a request. */
export function readCookie(headers: Headers, name: string): string | undefined {
  return pairsOf(headers)
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function pairsOf(headers: Headers): readonly string[] {
  return (headers.get("Cookie") ?? "").split(/;\s*/);
}
