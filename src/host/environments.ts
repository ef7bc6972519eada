/** Which living processes have a variable in the environment that they were started with. Linux; elsewhere nobody knows. */
import { readFileSync } from 'node:fs'
import { pidsOfAll } from './open-files.js'

/** Pids of this user's processes, ours not among them, that were started with `name=value`. */
export function processesWith(name: string, value: string): number[] {
  const wanted = `\0${name}=${value}\0`
  return (pidsOfAll() ?? []).filter((pid) => pid !== process.pid && environmentOf(pid).includes(wanted))
}

/** Empty for a process that has ended, or that is another user's. */
function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
  } catch {
    return ''
  }
}
