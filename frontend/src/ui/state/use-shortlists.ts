/** My sessions, favourites and recents, and what a click on one of them does. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";

import type { Favourite, Recent, Session, Target } from "@/api";
import { attach, exec } from "./address";
import type { LoadedList } from "./lists";
import type { Opening } from "./tabs";
import { useNotify } from "./use-notify";
import { useObservable } from "./use-observable";
import { useWorkbench } from "./workbench";

export function useShortlists() {
  const workbench = useWorkbench();
  const { t } = useI18n();
  const notify = useNotify();
  const { lists, targets } = workbench;

  const items = <T>(list: LoadedList<T>) => {
    const state = useObservable(list.state);
    return computed<readonly T[]>(() => (state.value.state === "known" ? state.value.items : []));
  };

  function resume(session: Session, role: "owner" | "viewer" = "owner") {
    workbench.open(openingOfSession(session, role));
  }

  function openFavourite(favourite: Favourite) {
    const target = resolve(favourite);
    if (target === null) notify.warn(t("side.favouriteGone"));
    else workbench.open(exec(target));
  }

  function openRecent({ target, kind, shell }: Recent) {
    const isKnownShell = kind === "exec" && shell !== "custom";
    workbench.open(
      kind === "attach" ? attach(target) : exec(target, isKnownShell ? shell : "auto"),
    );
  }

  /** The pod that the favourite means today: a rollout gave its workload new ones. */
  function resolve({ workload, ...target }: Favourite): Target | null {
    const namespace = targets.tree.value.clusters
      .find(({ name }) => name === target.cluster)
      ?.namespaces.find(({ name }) => name === target.namespace);
    if (workload === undefined || workload === "" || namespace === undefined) return target;
    const owner = namespace.workloads.find(({ kind, name }) => `${kind}/${name}` === workload);
    const pods = owner?.pods.map(({ pod }) => pod) ?? [];
    const isUp = (pod: (typeof pods)[number]) =>
      pod.containers.some(({ name, state }) => name === target.container && state === "running");
    const chosen = pods.find(({ name }) => name === target.pod) ?? pods.find(isUp) ?? pods[0];
    return chosen === undefined ? null : { ...target, pod: chosen.name };
  }

  return {
    sessions: items(lists.sessions),
    favourites: items(lists.favourites),
    recents: items(lists.recents),
    resume,
    openFavourite,
    openRecent,
  };
}

export function openingOfSession(session: Session, role: "owner" | "viewer"): Opening {
  const { target, kind, shell, command, id } = session;
  return { target, kind, shell, command, session: id, role };
}
