const NAME = "signedsocket-signout";

/** Tells the other tabs of the browser that the user signs out, and listens to them. */
export class SignOuts {
  private readonly channel: BroadcastChannel | undefined;

  constructor(heard: () => void) {
    try {
      this.channel = new BroadcastChannel(NAME);
      this.channel.onmessage = heard;
    } catch {
      // A page without an origin, for example in a sandbox, has no other tabs.
    }
  }

  announce = (): void => this.channel?.postMessage("signed out");

  close(): void {
    this.channel?.close();
  }
}
