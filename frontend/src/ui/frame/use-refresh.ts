/** Load what the frame shows, and again while somebody looks. */

import { onBeforeUnmount, watch } from "vue";

import { useApp } from "@/ui/state/app-context";
import { useObservable } from "@/ui/state/use-observable";
import type { Workbench } from "@/ui/state/workbench";

/** Sessions change without this page: another tab, an administrator, a grace time that runs out. */
const EVERY_MS = 10_000;

/** After a terminal became live or ended, until the server's list says so too. */
const SETTLE_MS = 400;

export function useRefresh(workbench: Workbench): void {
  const { account } = useApp();
  const { lists, targets } = workbench;
  const sessions = useObservable(lists.sessions.state);
  const tabs = useObservable(workbench.tabs.state);
  const connection = useObservable(targets.connection);

  void targets.load();
  void lists.loadAll();

  const timer = setInterval(() => {
    if (document.visibilityState === "visible") void lists.sessions.load();
  }, EVERY_MS);
  onBeforeUnmount(() => clearInterval(timer));

  let settling: ReturnType<typeof setTimeout> | undefined;
  watch(
    () =>
      tabs.value.tabs
        .map(({ id, status }) => `${id} ${status.snapshot.phase.state} ${status.snapshot.role}`)
        .join(),
    () => {
      clearTimeout(settling);
      settling = setTimeout(() => {
        void lists.sessions.load();
        void lists.recents.load();
      }, SETTLE_MS);
    },
  );
  onBeforeUnmount(() => clearTimeout(settling));

  // The server says in several places that the login session is over; each of them is heard.
  watch([sessions, connection], () => {
    const isListRefused = sessions.value.state === "failed" && sessions.value.error.status === 401;
    const { value } = connection;
    const isSocketRefused =
      value.state === "failed" && (value.code === "signed_out" || value.closeCode === 4401);
    if (isListRefused || isSocketRefused) account.expired();
  });
}
