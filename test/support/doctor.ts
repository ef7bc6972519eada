/** `cachelatch doctor --json`, as built, in a process of its own. */
import { spawn } from 'node:child_process'
import type { DoctorReport, FindingLevel } from '../../src/core/report.js'
import { COMMAND } from './command.js'

export interface Visit {
  code: number | null
  report: DoctorReport
  stderr: string
}

export interface VisitOptions {
  uid?: number
  env?: NodeJS.ProcessEnv
  args?: string[]
}

export function doctor(root: string, ...args: string[]): Promise<Visit> {
  return doctorAs(root, { args })
}

/** What the tests themselves are told by the environment is no setting. */
export function hiddenSettings(): NodeJS.ProcessEnv {
  const ours = Object.keys(process.env).filter(
    (name) => name.startsWith('CACHELATCH_') && name !== 'CACHELATCH_DIR',
  )
  return Object.fromEntries(ours.map((name) => [name, undefined]))
}

export async function doctorAs(root: string, { uid, env, args = [] }: VisitOptions): Promise<Visit> {
  const child = spawn(process.execPath, [COMMAND, 'doctor', '--json', ...args], {
    env: { ...process.env, ...hiddenSettings(), CACHELATCH_DIR: root, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  let [stdout, stderr] = ['', '']
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  child.stdout.on('data', (text: Buffer) => (stdout += String(text)))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (stdout === '') throw new Error(`doctor ended with ${code}: ${stderr}`)
  return { code, report: JSON.parse(stdout) as DoctorReport, stderr }
}

/** The levels of all findings of that name. */
export function levelOf({ findings }: DoctorReport, id: string): FindingLevel[] {
  return findings.filter((finding) => finding.id === id).map(({ level }) => level)
}

/** What was found wrong. */
export function complaints({ findings }: DoctorReport): string[] {
  return findings.filter(({ level }) => level === 'problem' || level === 'warning').map(({ id }) => id)
}
