/** How the emulator treats what programs write: one set of options for the page and for tests. */

export const EMULATION = {
  allowProposedApi: true,
  /**
   * None of the window operations (CSI … t). Some report the title, which whoever writes to the
   * terminal has chosen before: the report would type it.
   */
  windowOptions: {},
};
