/** A real terminal: a shell with job control in a pseudo-terminal (pty(7)), typed into and read from. */
import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach } from 'vitest'
import { until } from './until.js'

/** The terminal's own side. Lines on fd 3 set its size: `ROWS COLUMNS`. */
const PTY = `
import fcntl, os, pty, select, struct, sys, termios
def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
resize(master, 24, 400)
while True:
    for fd in select.select([0, 3, master], [], [])[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b''
        if not data:
            sys.exit()
        if fd == 0:
            os.write(master, data)
        elif fd == 3:
            resize(master, *map(int, data.split()))
        else:
            os.write(1, data)
`

const CONTROL = { 'Ctrl-C': '\x03', 'Ctrl-Z': '\x1a', 'Ctrl-\\': '\x1c', 'Ctrl-D': '\x04' } as const

export class Terminal {
  readonly #python: ChildProcess
  #screen = ''
  #seen = 0

  constructor(env: NodeJS.ProcessEnv) {
    this.#python = spawn('python3', ['-c', PTY, 'bash', '--norc', '--noprofile', '-i'], {
      env: { ...process.env, TERM: 'xterm', PS1: '$ ', HISTFILE: '', ...env },
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    })
    this.#python.stdout!.on('data', (data: Buffer) => (this.#screen += String(data)))
  }

  /** All that was shown so far. */
  get screen(): string {
    return this.#screen
  }

  type(line: string): void {
    this.#python.stdin!.write(`${line}\r`)
  }

  press(key: keyof typeof CONTROL): void {
    this.#python.stdin!.write(CONTROL[key])
  }

  resize(rows: number, columns: number): void {
    ;(this.#python.stdio[3] as NodeJS.WritableStream).write(`${rows} ${columns}\n`)
  }

  /** What it shows next that matches; what was shown before it is not looked at again. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const found = await until(`the terminal shows ${pattern}:\n${this.#screen}`, () =>
      pattern.exec(this.#screen.slice(this.#seen)),
    )
    this.#seen += found.index + found[0].length
    return found
  }

  close(): void {
    this.#python.kill('SIGKILL')
  }
}

/** Terminals of a test, closed after it. */
export function useTerminals(): (env?: NodeJS.ProcessEnv) => Terminal {
  const terminals: Terminal[] = []
  afterEach(() => terminals.splice(0).forEach((terminal) => terminal.close()))
  return (env = {}) => {
    const terminal = new Terminal(env)
    terminals.push(terminal)
    return terminal
  }
}
