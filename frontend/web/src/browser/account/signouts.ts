const NAME = "signedsocket-signout";

/** Tells the other tabs of the browser that the user signs out, and hears it from them. */
export class SignOuts {
  private readonly channel = new BroadcastChannel(NAME);

  constructor(heard: () => void) {
    this.channel.onmessage = heard;
  }

  announce = (): void => this.channel.postMessage("signed out");

  close(): void {
    this.channel.close();
  }
}
