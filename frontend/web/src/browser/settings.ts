/** The settings from the server for the page. None of them is secret. */
export interface PageSettings {
  readonly mode: "jwt" | "iam" | "guest";
  /** The address of signed URLs. */
  readonly signUrl: string;
  readonly rooms: readonly string[];
  /** Mode jwt: the claim that lists the user's rooms. */
  readonly roomsClaim: string | undefined;
  /** Mode jwt: where the browser signs in. */
  readonly provider:
    | {
        readonly issuer: string;
        readonly clientId: string;
        readonly audience: string | undefined;
        readonly scope: string;
      }
    | undefined;
  /**
   * Mode iam: whether a user is signed in, the name of the user at the provider, and the addresses for signing in and
   * out.
   */
  readonly server:
    | {
        readonly signedIn: boolean;
        readonly user?: string | undefined;
        readonly signInPath: string;
        readonly signOutPath: string;
      }
    | undefined;
}
