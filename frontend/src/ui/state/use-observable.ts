/** The one bridge from plain classes to Vue. */

import { getCurrentScope, onScopeDispose, type ShallowRef, shallowRef } from "vue";

import type { ReadonlyObservable } from "@/lib/emitter";

/** Show an observable's value as a shallow ref, for as long as the scope lives. */
export function useObservable<T>(observable: ReadonlyObservable<T>): Readonly<ShallowRef<T>> {
  const ref = shallowRef(observable.value);
  const subscription = observable.onChange((value) => {
    ref.value = value;
  });
  if (getCurrentScope() !== undefined) {
    onScopeDispose(() => {
      subscription.dispose();
    });
  }
  return ref;
}
