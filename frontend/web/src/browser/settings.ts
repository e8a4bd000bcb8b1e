/** What the server tells the page. Nothing in it is secret. */
export interface PageSettings {
  readonly mode: "jwt" | "iam" | "guest";
  /** The address that is asked for signed URLs. */
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
  /** Mode iam: whether somebody is signed in, what the provider calls the user, and where to sign in and out. */
  readonly server:
    | {
        readonly signedIn: boolean;
        readonly user?: string | undefined;
        readonly signInPath: string;
        readonly signOutPath: string;
      }
    | undefined;
}
