/** The present time, for ages and countdowns. */

import { onScopeDispose, type Ref, ref } from "vue";

interface Ticker {
  readonly now: Ref<number>;
  users: number;
  timer: ReturnType<typeof setInterval> | null;
}

const tickers = new Map<number, Ticker>();

/** Milliseconds since 1970, renewed every `everyMs`; all users of one pace share one timer. */
export function useClock(everyMs: number): Readonly<Ref<number>> {
  let ticker = tickers.get(everyMs);
  if (ticker === undefined) {
    ticker = { now: ref(Date.now()), users: 0, timer: null };
    tickers.set(everyMs, ticker);
  }
  const mine = ticker;
  mine.users += 1;
  mine.now.value = Date.now();
  mine.timer ??= setInterval(() => {
    mine.now.value = Date.now();
  }, everyMs);
  onScopeDispose(() => {
    mine.users -= 1;
    if (mine.users > 0 || mine.timer === null) return;
    clearInterval(mine.timer);
    mine.timer = null;
  });
  return mine.now;
}
