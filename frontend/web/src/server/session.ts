/** A user who is signed in. Times are Unix seconds. */
export interface Session {
  /**
   * The issuer's `sub` of the user, unchanged: 1 to 255 bytes without control characters. The chat's user id comes from
   * it.
   */
  readonly sub: string;
  /**
   * The issuer of `sub`; the deployment's OidcIssuer when undefined. Two issuers may give one `sub` to two people.
   */
  readonly iss?: string | undefined;
  /** The name that others see: at most 128 bytes. A short form of `sub` when undefined. */
  readonly name?: string | undefined;
  /**
   * When the user last authenticated at the provider, for example with a password. A revocation ends sessions that
   * started before it.
   */
  readonly startedAt: number;
  readonly endsAt: number;
  /**
   * Names this sign-in: 22 characters of base64url, a hash of the session. Signing out ends the connections that were
   * opened with it. When undefined, signing out ends the session of this server alone.
   */
  readonly signIn?: string | undefined;
  /**
   * All rooms that the user may enter: `room`, or `room:r` for a room in which the user may only read. The deployment's
   * DefaultRooms when undefined.
   */
  readonly rooms?: readonly string[] | undefined;
  /** Whether the user may delete the messages of all users. */
  readonly moderator?: boolean | undefined;
}
