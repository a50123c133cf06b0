/** Who is signed in. */

import { type Api, ApiError, type Me } from "@/api";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";

export type AccountState =
  | { readonly state: "unknown" }
  /** `isExpired`: the person did not ask for it, and wants to come back to the same place. */
  | { readonly state: "signed-out"; readonly isExpired: boolean }
  | { readonly state: "signed-in"; readonly me: Me }
  /** The server did not say. */
  | { readonly state: "failed"; readonly error: ApiError };

/** Ask who is signed in, sign in and out. */
export class Account {
  readonly #state = new Observable<AccountState>({ state: "unknown" });
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  get state(): ReadonlyObservable<AccountState> {
    return this.#state;
  }

  get me(): Me | null {
    return this.#state.value.state === "signed-in" ? this.#state.value.me : null;
  }

  /** Ask the server; never throws. */
  async load(): Promise<void> {
    try {
      this.#state.value = { state: "signed-in", me: await this.#api.me() };
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      this.#state.value =
        reason.status === 401
          ? { state: "signed-out", isExpired: true }
          : { state: "failed", error: reason };
    }
  }

  /** Throws ApiError when the server says no. */
  async signIn(username: string, password: string): Promise<void> {
    // The first answer of a new browser brings the CSRF cookie.
    this.#state.value = { state: "signed-in", me: await this.#api.signIn(username, password) };
  }

  async signOut(): Promise<void> {
    await this.#api.signOut();
    this.#state.value = { state: "signed-out", isExpired: false };
  }

  /** Some call was answered with 401: the login session is over. */
  expired(): void {
    if (this.#state.value.state === "signed-out") return;
    this.#state.value = { state: "signed-out", isExpired: true };
  }
}
