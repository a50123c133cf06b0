import { describe, expect, test, vi } from "vitest";

import { DisposableStore, MutableDisposable, toDisposable } from "./disposable";

describe("DisposableStore", () => {
  test("disposes the newest first, and everything once", () => {
    const order: number[] = [];
    const store = new DisposableStore();
    for (const item of [1, 2, 3]) store.onDispose(() => order.push(item));

    store.dispose();
    store.dispose();

    expect(order).toEqual([3, 2, 1]);
  });

  test("disposes at once what comes too late", () => {
    const store = new DisposableStore();
    store.dispose();
    const release = vi.fn();

    store.onDispose(release);

    expect(release).toHaveBeenCalledOnce();
  });

  test("disposes the others when one throws", () => {
    const store = new DisposableStore();
    const release = vi.fn();
    store.onDispose(release);
    store.onDispose(() => {
      throw new Error("broken");
    });

    expect(() => {
      store.dispose();
    }).toThrow("broken");
    expect(release).toHaveBeenCalledOnce();
  });
});

describe("MutableDisposable", () => {
  test("disposes what it replaces", () => {
    const holder = new MutableDisposable();
    const first = vi.fn();
    const second = vi.fn();
    holder.value = toDisposable(first);

    holder.value = toDisposable(second);

    expect(first).toHaveBeenCalledOnce();
    expect(second).not.toHaveBeenCalled();
    holder.dispose();
    expect(second).toHaveBeenCalledOnce();
    expect(holder.value).toBeUndefined();
  });

  test("disposes at once what comes too late", () => {
    const holder = new MutableDisposable();
    const release = vi.fn();
    holder.dispose();

    holder.value = toDisposable(release);

    expect(release).toHaveBeenCalledOnce();
  });
});
