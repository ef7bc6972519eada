/** What this machine says about processes (proc(5)): so Linux only. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Paths that this process has open at or below `directory`, sorted. */
export function openBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => linkOrNull(`/proc/self/fd/${fd}`))
    .filter((path) => path !== null)
    .filter((path) => path.startsWith(directory))
    .sort()
}

/** Living children of `pid`, by the name of their program. */
export function childrenOf(pid: number): { pid: number; name: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== null)
    .filter(({ parent, state }) => parent === pid && state !== 'Z')
    .map(({ pid, name }) => ({ pid, name }))
}

export function isAlive(pid: number): boolean {
  const stat = statOf(pid)
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X'
}

/** When the process started, in ticks since boot: with the pid, who it is. `null`: it lives no more. */
export function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // PF_EXITING: it runs no more code of its own, and its locks are open.
    const isGone = 'ZX'.includes(fields[0]!) || (Number(fields[6]) & 4) !== 0
    return isGone ? null : fields[19]!
  } catch {
    return null
  }
}

/** Living processes with `text` somewhere in their command line. */
export function processesNaming(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLineOf(pid).includes(text) && isAlive(pid))
}

/** Living processes that were started with this variable, which children inherit. */
export function processesWith(name: string, value: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => isAlive(pid) && textOf(`/proc/${pid}/environ`).split('\0').includes(`${name}=${value}`))
}

/** With a zero byte behind every argument; empty when it is gone. */
export const commandLineOf = (pid: number): string => textOf(`/proc/${pid}/cmdline`)

/** Empty where the process is gone, or another user's. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Stopped by SIGSTOP, all of it: the signal is delivered some time after it was sent. */
export function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).startsWith('T')
  })
}

interface Stat {
  pid: number
  name: string
  state: string
  parent: number
}

/** proc(5): the name in field 2 may itself contain spaces and brackets. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = text.lastIndexOf(')')
    const [state = '', parent = ''] = text.slice(end + 2).split(' ')
    return { pid, name: text.slice(text.indexOf('(') + 1, end), state, parent: Number(parent) }
  } catch {
    return null
  }
}

function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}
