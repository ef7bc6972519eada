/** Whether what is typed on the terminal reaches this process: apart, since a hit must not load node:tty. */
import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Whether this process is in the foreground process group of its terminal. */
export function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // proc(5): state, ppid, pgrp, session, tty_nr, tpgid.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return isatty(0) || isatty(2)
  }
}
