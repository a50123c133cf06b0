import { expect, test, vi } from "vitest";

import { Emitter, Observable } from "./emitter";

test("a listener hears values until it is disposed", () => {
  const emitter = new Emitter<number>();
  const heard: number[] = [];
  const subscription = emitter.event((value) => heard.push(value));

  emitter.fire(1);
  subscription.dispose();
  emitter.fire(2);

  expect(heard).toEqual([1]);
});

test("a listener that another one disposes hears nothing more", () => {
  const emitter = new Emitter<number>();
  const late = vi.fn();
  emitter.event(() => {
    subscription.dispose();
  });
  const subscription = emitter.event(late);

  emitter.fire(1);

  expect(late).not.toHaveBeenCalled();
});

test("an observable announces changes, and only changes", () => {
  const observable = new Observable("a");
  const heard: string[] = [];
  observable.onChange((value) => heard.push(value));

  observable.value = "a";
  observable.value = "b";

  expect(heard).toEqual(["b"]);
  expect(observable.value).toBe("b");
});
