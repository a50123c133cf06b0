/** Sessions by scope and state, a page at a time. */

import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from "vue";

import { type Api, ApiError, type Session } from "@/api";

export type Scope = "mine" | "all";
export type SessionState = "live" | "ended";

const PAGE_SIZE = 50;
/** Of the server, for one call. */
const MAX_LIMIT = 200;
const REFRESH_MS = 5_000;

export function useSessionPages(
  api: Pick<Api, "sessions">,
  scope: Ref<Scope>,
  state: Ref<SessionState>,
) {
  const sessions = shallowRef<readonly Session[]>([]);
  const isMore = ref(false);
  const isLoading = ref(true);
  const problem = shallowRef<ApiError | null>(null);
  let generation = 0;

  async function load(): Promise<void> {
    generation += 1;
    const mine = generation;
    try {
      // What has been read on stays read on: a refresh never takes rows away from under the eyes.
      const wanted = Math.max(PAGE_SIZE, sessions.value.length);
      let found: readonly Session[] = [];
      let isFurther = true;
      while (isFurther && found.length < wanted) {
        const limit = Math.min(MAX_LIMIT, wanted - found.length);
        const last = found.at(-1);
        const page = await api.sessions({
          scope: scope.value,
          state: state.value,
          limit,
          ...(last === undefined ? {} : { before: last.id }),
        });
        if (mine !== generation) return;
        found = [...found, ...page.sessions];
        isFurther = page.more && page.sessions.length > 0;
      }
      sessions.value = found;
      isMore.value = isFurther;
      problem.value = null;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (mine === generation) problem.value = reason;
    } finally {
      if (mine === generation) isLoading.value = false;
    }
  }

  async function loadMore(): Promise<void> {
    const last = sessions.value.at(-1);
    if (last === undefined) return;
    generation += 1;
    const mine = generation;
    try {
      const query = { scope: scope.value, state: state.value, limit: PAGE_SIZE, before: last.id };
      const page = await api.sessions(query);
      if (mine !== generation) return;
      sessions.value = [...sessions.value, ...page.sessions];
      isMore.value = page.more;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      problem.value = reason;
    }
  }

  watch(
    [scope, state],
    () => {
      sessions.value = [];
      isLoading.value = true;
      void load();
    },
    { immediate: true },
  );
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && state.value === "live") void load();
  }, REFRESH_MS);
  onBeforeUnmount(() => clearInterval(timer));

  return { sessions, isMore, isLoading, problem, load, loadMore };
}
