/** The command in a process that stays: what `main` does with its arguments, as often as it is asked. */
import { COMMANDS } from '../../src/cli/commands.js'
import { exitCodeOf, explainToPerson } from '../../src/cli/usage.js'

process.on('message', ([name, ...args]: string[]) => {
  void answer(name!, args).then((code) => process.send!(code))
})

async function answer(name: string, args: string[]): Promise<number> {
  try {
    return await (await COMMANDS[name]!()).run(args)
  } catch (error) {
    process.stderr.write(`${explainToPerson(error, name)}\n`)
    return exitCodeOf(error)
  }
}
