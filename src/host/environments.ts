/** Which living processes have a variable in the environment that they were started with. Linux; elsewhere nobody knows. */
import { readFileSync, readdirSync } from 'node:fs'

/** Pids of this user's processes, ours not among them, that were started with `name=value`. */
export function processesWith(name: string, value: string): number[] {
  const wanted = `\0${name}=${value}\0`
  return pids().filter((pid) => pid !== process.pid && environmentOf(pid).includes(wanted))
}

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return []
  }
}

/** Empty for a process that has ended, or that is another user's. */
function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
  } catch {
    return ''
  }
}
