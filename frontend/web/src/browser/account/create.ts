import type { PageSettings } from "../settings";
import type { Account } from "./account";
import { GuestAccount } from "./guest";
import { ProviderAccount } from "./provider";
import { ServerAccount } from "./server";

/** The account of the mode that the deployment has. */
export function createAccount(settings: PageSettings): Account {
  switch (settings.mode) {
    case "jwt":
      return new ProviderAccount(settings);
    case "iam":
      return new ServerAccount(settings);
    case "guest":
      return new GuestAccount(settings.rooms);
  }
}
