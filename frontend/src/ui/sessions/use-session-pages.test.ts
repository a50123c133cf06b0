// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { defineComponent, h, ref } from "vue";
import { expect, test } from "vitest";

import type { Api, Session, SessionQuery } from "@/api";
import { mountWithApp } from "@/ui/testing/mount-with-app";
import { type Scope, type SessionState, useSessionPages } from "./use-session-pages";

const MANY = 430;
const ALL = Array.from({ length: MANY }, (_, n) => ({ id: `s-${n}` }) as Session);

/** A server that gives 200 at most, as ours does. */
const api = {
  sessions: (query?: SessionQuery) => {
    const { limit = 50, before } = query ?? {};
    const start = before === undefined ? 0 : ALL.findIndex(({ id }) => id === before) + 1;
    const sessions = ALL.slice(start, start + Math.min(limit, 200));
    return Promise.resolve({ sessions, more: start + sessions.length < MANY });
  },
} satisfies Pick<Api, "sessions">;

test("a refresh keeps everything that was read on, however much that is", async () => {
  let pages: ReturnType<typeof useSessionPages> | undefined;
  const Probe = defineComponent({
    setup() {
      pages = useSessionPages(api, ref<Scope>("all"), ref<SessionState>("ended"));
      return () => h("p");
    },
  });
  const { wrapper } = mountWithApp(Probe, {});
  await flushPromises();
  while (pages!.sessions.value.length < 400) await pages!.loadMore();

  await pages!.load();

  expect(pages!.sessions.value).toHaveLength(400);
  expect(pages!.isMore.value).toBe(true);
  await pages!.loadMore();
  expect(pages!.sessions.value).toHaveLength(MANY);
  expect(pages!.isMore.value).toBe(false);
  wrapper.unmount();
});
