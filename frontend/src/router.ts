/** Addresses. Every view has one, and only sign-in is open to everybody. */

import { createRouter, createWebHistory, type Router } from "vue-router";

import type { Account } from "@/ui/state/account";
import SignInPage from "@/ui/pages/sign-in-page.vue";

export function createAppRouter(account: Account): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: "/sign-in", name: "sign-in", component: SignInPage },
      {
        path: "/",
        component: () => import("@/ui/frame/frame-layout.vue"),
        children: [
          {
            path: "",
            name: "dashboard",
            component: () => import("@/ui/pages/dashboard-page.vue"),
          },
          {
            path: "t/:cluster/:namespace/:pod/:container",
            name: "terminal",
            // The work area shows terminals itself, so that they live on behind other pages.
            component: { render: () => null },
          },
          {
            path: "sessions",
            name: "sessions",
            component: () => import("@/ui/pages/sessions-page.vue"),
          },
          {
            path: "account",
            name: "account",
            component: () => import("@/ui/pages/account-page.vue"),
          },
          {
            path: ":rest(.*)*",
            name: "not-found",
            component: () => import("@/ui/pages/not-found-page.vue"),
          },
        ],
      },
    ],
  });

  router.beforeEach((to) => {
    const { state } = account.state.value;
    if (to.name === "sign-in") return state === "signed-in" ? nextOf(to.query.next) : true;
    if (state === "signed-out") {
      return { name: "sign-in", query: to.fullPath === "/" ? {} : { next: to.fullPath } };
    }
    return true;
  });
  // A newer version was installed, and the parts of this one are gone: load the page anew.
  router.onError((_, to) => {
    if (navigator.onLine) window.location.assign(to.fullPath);
  });
  return router;
}

/** Where to go after signing in: a path of this site and nothing else. */
export function nextOf(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}
