/** All commands, each loaded only when it is needed, in the order in which people read of them. */
import type { Command } from './command.js'

export interface CommandFile {
  command: Command
  /** Resolves to the exit code. */
  run(args: string[]): Promise<number>
}

export const COMMANDS: Record<string, () => Promise<CommandFile>> = {
  once: () => import('./once.js'),
  exec: () => import('./exec.js'),
  run: () => import('./run.js'),
  ls: () => import('./ls.js'),
  status: () => import('./status.js'),
  stats: () => import('./stats.js'),
  gc: () => import('./gc.js'),
  verify: () => import('./verify.js'),
  clear: () => import('./clear.js'),
  timeline: () => import('./timeline.js'),
  env: () => import('./env.js'),
  dir: () => import('./dir.js'),
  doctor: () => import('./doctor.js'),
  completion: () => import('./completion.js'),
}

export async function allCommands(): Promise<Command[]> {
  const files = await Promise.all(Object.values(COMMANDS).map((load) => load()))
  return files.map(({ command }) => command)
}
