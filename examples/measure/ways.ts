/** The ways to give several workers of one program their cache directory. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** A program of test/programs, and what leads its cache somewhere. */
export interface Program {
  script: string
  args: string[]
  variable: string
  preset: string
}

export interface Way {
  title: string
  /** What stands before the worker's command. */
  wrapper: (command: readonly string[], dir: string, preset: string) => string[]
  /** The directory that the user sets for the n-th worker; `null`: the user sets none. */
  directory: (dir: string, n: number) => string | null
}

const throughRun =
  (...options: string[]): Way['wrapper'] =>
  (command, dir, preset) => [
    ...command,
    'run',
    '--cache',
    dir,
    '--preset',
    preset,
    '--quiet',
    ...options,
    '--',
  ]

export const WAYS: Record<string, Way> = {
  private: { title: 'a private directory each', wrapper: () => [], directory: (dir, n) => made(dir, `${n}`) },
  shared: { title: 'one shared directory, bare', wrapper: () => [], directory: (dir) => made(dir, 'all') },
  run: { title: '`cachelatch run`', wrapper: throughRun(), directory: () => null },
  once: { title: '`cachelatch run --once`', wrapper: throughRun('--once'), directory: () => null },
}

function made(...parts: string[]): string {
  const path = join(...parts)
  mkdirSync(path, { recursive: true })
  return path
}
