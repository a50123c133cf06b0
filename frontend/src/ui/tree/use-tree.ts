/** The tree as the sidebar shows it: filtered, opened and closed, still under the pointer. */

import { computed, ref, shallowRef, watch } from "vue";

import { filterTree } from "@/targets/filter";
import type { Targets } from "@/ui/state/targets";
import { useObservable } from "@/ui/state/use-observable";
import { type Expansion, heldInPlace, type Row, rowsOf } from "./rows";

/** What was opened and closed stays so while the page lives, whatever view is shown. */
const remembered = shallowRef<Expansion>(new Map());

export function useTree(targets: Targets) {
  const tree = useObservable(targets.tree);
  const connection = useObservable(targets.connection);
  const clusters = useObservable(targets.clusters);
  const query = ref("");
  const isHeld = ref(false);
  const rows = shallowRef<readonly Row[]>([]);

  const fresh = computed(() => {
    const found = filterTree(tree.value, query.value);
    return rowsOf(found, remembered.value, query.value.trim() !== "");
  });

  watch([tree, isHeld], () => {
    rows.value = isHeld.value ? heldInPlace(rows.value, fresh.value) : fresh.value;
  });
  // Whoever opens a branch or types wants to see the change at once.
  watch([remembered, query], () => {
    rows.value = fresh.value;
  });
  rows.value = fresh.value;

  function toggle(row: Row, isExpanded = !row.isExpanded) {
    if (!row.isExpandable) return;
    remembered.value = new Map(remembered.value).set(row.key, isExpanded);
  }

  return { rows, query, isHeld, connection, clusters, tree, toggle };
}
