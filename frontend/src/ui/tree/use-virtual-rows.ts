/** Draw only the rows that can be seen. */

import { computed, onBeforeUnmount, onMounted, type Ref, ref } from "vue";

/** Pixels; the same as --row-height. */
export const ROW_HEIGHT = 28;

/** Rows drawn above and below what is visible, so that scrolling shows no gap. */
const MARGIN_ROWS = 10;

export function useVirtualRows<T>(scroller: Ref<HTMLElement | null>, rows: Ref<readonly T[]>) {
  const top = ref(0);
  const viewHeight = ref(600);
  let observer: ResizeObserver | null = null;

  const first = computed(() => Math.max(0, Math.floor(top.value / ROW_HEIGHT) - MARGIN_ROWS));
  const count = computed(() => Math.ceil(viewHeight.value / ROW_HEIGHT) + 2 * MARGIN_ROWS);
  const visible = computed(() => rows.value.slice(first.value, first.value + count.value));

  const readTop = () => {
    top.value = scroller.value?.scrollTop ?? 0;
  };

  onMounted(() => {
    const element = scroller.value;
    if (element === null) return;
    element.addEventListener("scroll", readTop, { passive: true });
    observer = new ResizeObserver(() => {
      viewHeight.value = element.clientHeight;
    });
    observer.observe(element);
  });
  onBeforeUnmount(() => {
    observer?.disconnect();
    scroller.value?.removeEventListener("scroll", readTop);
  });

  /** Bring a row into view with as little movement as possible. */
  function scrollTo(index: number): void {
    const element = scroller.value;
    if (element === null) return;
    const rowTop = index * ROW_HEIGHT;
    if (rowTop < element.scrollTop) element.scrollTop = rowTop;
    else if (rowTop + ROW_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = rowTop + ROW_HEIGHT - element.clientHeight;
    }
    readTop();
  }

  return {
    visible,
    /** Of all rows together, pixels. */
    height: computed(() => rows.value.length * ROW_HEIGHT),
    /** Of the first drawn row, pixels. */
    offset: computed(() => Math.min(first.value, rows.value.length) * ROW_HEIGHT),
    scrollTo,
  };
}
