// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, test, vi } from "vitest";

import { ApiError } from "@/api";
import { mountWithApp } from "@/ui/testing/mount-with-app";
import SignInPage from "./sign-in-page.vue";

async function submit(signIn: () => Promise<never>, locale: string) {
  const { wrapper } = mountWithApp(SignInPage, { api: { signIn }, locale });
  await wrapper.get("[name=username]").setValue(" alice ");
  await wrapper.get("[name=password]").setValue("secret");
  await wrapper.get("form").trigger("submit");
  await flushPromises();
  return wrapper;
}

test("a wrong password is said in the chosen language, and only the password is typed again", async () => {
  const signIn = vi.fn(() => Promise.reject(new ApiError(400, "wrong_credentials", "Wrong.")));

  const wrapper = await submit(signIn, "zh-Hans");

  expect(wrapper.get("[role=alert]").text()).toBe("用户名或密码错误。");
  expect(signIn).toHaveBeenCalledWith("alice", "secret");
  expect(wrapper.get<HTMLInputElement>("[name=username]").element.value).toBe(" alice ");
  expect(wrapper.get<HTMLInputElement>("[name=password]").element.value).toBe("");
});

test("in English the server's own sentence is shown, because it says more", async () => {
  const error = new ApiError(429, "too_many", "Too many attempts. Try again in 4 minutes.");

  const wrapper = await submit(() => Promise.reject(error), "en");

  expect(wrapper.get("[role=alert]").text()).toBe(error.message);
});
