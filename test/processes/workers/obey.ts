/** A worker's side of test/support/worker-process.ts: runs commands by name, and ends when the test does. */
export function obey(commands: Record<string, (...args: never[]) => unknown>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, command, args }: { id: number; command: string; args: never[] }) => {
    void run(commands[command]!, args).then((answer) => process.send!({ id, ...answer }))
  })
}

/** Tells the test something that is no answer. */
export function note(note: string): void {
  process.send!({ note })
}

async function run(command: (...args: never[]) => unknown, args: never[]): Promise<object> {
  try {
    return { value: await command(...args) }
  } catch (thrown) {
    const { name, message, code } = thrown as Error & { code?: string }
    return { error: { name, message, code } }
  }
}
