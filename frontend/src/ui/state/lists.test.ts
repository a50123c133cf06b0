import { expect, test, vi } from "vitest";

import { type Api, ApiError, type Favourite } from "@/api";
import { LoadedList, Lists } from "./lists";

const WEB = { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" };

test("a failure after a success keeps what was known, unless the right is gone", async () => {
  const answers = [
    () => Promise.resolve([1]),
    () => Promise.reject(new ApiError(0, "network", "")),
    () => Promise.reject(new ApiError(401, "signed_out", "")),
  ];
  const list = new LoadedList(() => answers.shift()!());

  await list.load();
  await list.load();
  expect(list.items).toEqual([1]);
  await list.load();
  expect(list.state.value.state).toBe("failed");
});

test("the same answer is the same list", async () => {
  const list = new LoadedList(() => Promise.resolve([{ id: 1 }]));
  await list.load();
  const before = list.items;

  await list.load();

  expect(list.items).toBe(before);
});

test("a favourite of a workload means every pod of it", async () => {
  const kept: Favourite[] = [];
  const api = {
    favourites: () => Promise.resolve([...kept]),
    addFavourite: vi.fn((favourite: Favourite) => {
      kept.push(favourite);
      return Promise.resolve();
    }),
    removeFavourite: vi.fn(() => {
      kept.pop();
      return Promise.resolve();
    }),
  } as unknown as Api;
  const lists = new Lists(api);

  await lists.toggleFavourite(WEB, "Deployment/web");

  expect(lists.isFavourite({ ...WEB, pod: "web-2" }, "Deployment/web")).toBe(true);
  expect(lists.isFavourite(WEB, null)).toBe(false);
  await lists.toggleFavourite({ ...WEB, pod: "web-2" }, "Deployment/web");
  expect(kept).toEqual([]);
});
