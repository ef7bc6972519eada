/** What a command prints to a terminal, and when: it runs in a pseudo-terminal of script(1). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Chunk {
  /** Since the command was started. */
  atMs: number
  text: string
}

export interface Size {
  columns: number
  rows: number
}

export async function record(command: string, size: Size, cwd: string): Promise<Chunk[]> {
  const inTerminal = `stty rows ${size.rows} cols ${size.columns}; exec ${command}`
  const env = { ...process.env, TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined }
  const child = spawn('script', ['-qfec', inTerminal, '/dev/null'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Chunk[] = []
  const started = performance.now()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    chunks.push({ atMs: performance.now() - started, text })
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0)
    throw new Error(`${command} ended with ${String(code)}:\n${chunks.map(({ text }) => text).join('')}`)
  return chunks
}
