/** Preloaded: the clock of this process, as a machine has it whose time was set wrong. */
const now = Date.now.bind(Date)
Date.now = () => now() + 1_000 * Number(process.env['CLOCK_AHEAD_S'])
