/**
 * Commands that the kernel ends when we are killed: by setpriv(1), which asks for it (prctl(2), PR_SET_PDEATHSIG) and
 * becomes the command. Same package as flock(1) on Debian; BusyBox' setpriv lacks the option, macOS has none.
 */
import { spawn } from 'node:child_process'

let available: Promise<boolean> | undefined

/** What to put before a command so that `signal` is sent to it, not to its children, when we die; may be nothing. */
export async function dyingWithUs(signal: 'KILL' | 'TERM'): Promise<string[]> {
  available ??= new Promise((resolve) => {
    const test = spawn('setpriv', ['--pdeathsig', 'KILL', 'true'], { cwd: '/', stdio: 'ignore' })
    test.once('error', () => resolve(false))
    test.once('exit', (code) => resolve(code === 0))
  })
  return (await available) ? ['setpriv', '--pdeathsig', signal] : []
}
