/** Lists from the server that the sidebar and the pages share: sessions, favourites, recents, grants. */

import { type Api, ApiError, type Favourite, type Recent, type Session, type Target } from "@/api";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";

export type ListState<T> =
  | { readonly state: "loading" }
  | { readonly state: "known"; readonly items: readonly T[] }
  | { readonly state: "failed"; readonly error: ApiError };

/** A list that is loaded again and again; a failure after a success keeps what was known. */
export class LoadedList<T> {
  readonly #state = new Observable<ListState<T>>({ state: "loading" });
  readonly #fetch: () => Promise<readonly T[]>;

  constructor(fetch: () => Promise<readonly T[]>) {
    this.#fetch = fetch;
  }

  get state(): ReadonlyObservable<ListState<T>> {
    return this.#state;
  }

  get items(): readonly T[] {
    return this.#state.value.state === "known" ? this.#state.value.items : [];
  }

  async load(): Promise<void> {
    try {
      const items = await this.#fetch();
      // The same answer is the same list: nothing is drawn again.
      if (JSON.stringify(items) !== JSON.stringify(this.items) || !this.isKnown) {
        this.#state.value = { state: "known", items };
      }
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (!this.isKnown || [401, 403].includes(reason.status)) {
        this.#state.value = { state: "failed", error: reason };
      }
    }
  }

  get isKnown(): boolean {
    return this.#state.value.state === "known";
  }
}

export class Lists {
  readonly sessions: LoadedList<Session>;
  readonly favourites: LoadedList<Favourite>;
  readonly recents: LoadedList<Recent>;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.sessions = new LoadedList(() => allOpenSessions(api));
    this.favourites = new LoadedList(() => api.favourites());
    this.recents = new LoadedList(() => api.recents());
  }

  async loadAll(): Promise<void> {
    await Promise.all([this.sessions.load(), this.favourites.load(), this.recents.load()]);
  }

  isFavourite(target: Target, workload: string | null): boolean {
    return this.favourites.items.some((favourite) => isSameFavourite(favourite, target, workload));
  }

  async toggleFavourite(target: Target, workload: string | null): Promise<void> {
    const favourite: Favourite = workload === null ? target : { ...target, workload };
    const known = this.favourites.items.find((one) => isSameFavourite(one, target, workload));
    if (known === undefined) await this.#api.addFavourite(favourite);
    else await this.#api.removeFavourite(known);
    await this.favourites.load();
  }
}

/** All of them: what is open and not shown could not be resumed. */
async function allOpenSessions(api: Pick<Api, "sessions">): Promise<readonly Session[]> {
  const found: Session[] = [];
  for (;;) {
    const before = found.at(-1)?.id;
    const page = await api.sessions({
      scope: "mine",
      state: "live",
      limit: 200,
      ...(before === undefined ? {} : { before }),
    });
    found.push(...page.sessions);
    if (!page.more || page.sessions.length === 0) return found;
  }
}

/** A favourite names the workload when there is one, so that it survives a rollout. */
function isSameFavourite(one: Favourite, target: Target, workload: string | null): boolean {
  return (
    one.cluster === target.cluster &&
    one.namespace === target.namespace &&
    one.container === target.container &&
    (one.workload === undefined ? one.pod === target.pod : one.workload === workload)
  );
}
